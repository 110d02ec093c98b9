import { wordsOf } from "$/hub/language.svelte";
import type { EndedWhy, PicturesWhy } from "./messages";
import type { Word } from "./verdict";

const en = {
  verdicts: {
    live: "Live", pictures: "Pictures", connecting: "Connecting…", frozen: "FROZEN", offline: "OFFLINE", lost: "NO CONNECTION TO THE HUB",
    resting: "Paused", ended: "Ended", refused: "Not shown",
  } satisfies Record<Word, string>,
  pictures: {
    codec: "one picture a second: this browser cannot play the camera's codec", masked: "one picture a second: parts of it are masked",
    no_stream: "one picture a second: the camera has no stream", asked: "one picture a second: the film could not be played",
  } satisfies Record<PicturesWhy, string>,
  ended: {
    gone: "the camera is no longer there, or not yours to see", too_many: "too many live pictures are open",
    session: "the session is over", stopping: "the hub is being restarted", silent: "the line was too slow to begin", store: "the hub's database does not answer",
  } satisfies Record<EndedWhy, string>,
  since: (at: string, span: string) => `since ${at} (${span})`,
  resting: "this page was hidden for a minute",
  gone: "There is no such camera, or it is not yours to see.",
  forbidden: "Your role may not see live pictures here.",
  again: "Try again",
  nothing: "no picture comes",
  last: (at: string) => `last picture ${at}`,
  hubSays: "the hub's probe",
  noName: (id: number) => `Camera ${id}`,
  zoomed: (times: string) => `${times}×`,
  view: (name: string, state: string) => `${name}: ${state}`,
  main: "main stream", sub: "small stream",
};
export const words = wordsOf({
  en,
  zh: {
    verdicts: {
      live: "实时", pictures: "图片", connecting: "正在连接…", frozen: "画面停滞", offline: "离线", lost: "与平台的连接中断",
      resting: "已暂停", ended: "已结束", refused: "无法显示",
    },
    pictures: {
      codec: "每秒一张图片：浏览器不能播放该编码", masked: "每秒一张图片：部分画面已遮挡",
      no_stream: "每秒一张图片：该摄像机没有视频流", asked: "每秒一张图片：视频无法播放",
    },
    ended: {
      gone: "摄像机已不存在，或您无权查看", too_many: "打开的实时画面过多",
      session: "登录已结束", stopping: "平台正在重启", silent: "网络太慢，未能开始", store: "平台数据库无应答",
    },
    since: (at, span) => `自 ${at} 起（${span}）`,
    resting: "本页隐藏超过一分钟",
    gone: "没有这台摄像机，或您无权查看。",
    forbidden: "您的角色不能在此查看实时画面。",
    again: "重试",
    nothing: "没有新画面",
    last: (at) => `最后画面 ${at}`,
    hubSays: "平台探测",
    noName: (id) => `摄像机 ${id}`,
    zoomed: (times) => `${times} 倍`,
    view: (name, state) => `${name}：${state}`,
    main: "主码流", sub: "子码流",
  },
});

export const talkWords = wordsOf({
  en: {
    title: "Talk", open: "Listen and talk", opening: "Opening the line…", hears: "You hear the camera.", deaf: "The camera hears nothing.", mute: "The camera has no loudspeaker.",
    hold: "Hold to speak", speaking: "Speaking…", renew: "One more minute", close: "Hang up", left: (span: string) => `Ends in ${span}.`,
    ends: {
      session: "The session is over.", gone: "The camera is no longer there, or not yours to use.", busy: "Another person is talking:", time: "A minute has passed: open the line again to go on.",
      camera: "The camera:", lost: "The line to the hub broke.", microphone: "The microphone could not be opened.", insecure: "The browser gives the microphone only to pages over https.",
    },
  },
  zh: {
    title: "对讲", open: "监听与对讲", opening: "正在接通…", hears: "正在监听现场。", deaf: "该摄像机没有拾音器。", mute: "该摄像机没有扬声器。",
    hold: "按住说话", speaking: "正在说话…", renew: "延长一分钟", close: "挂断", left: (span) => `${span}后结束。`,
    ends: {
      session: "登录已结束。", gone: "摄像机已不存在，或您无权使用。", busy: "他人正在对讲：", time: "已满一分钟，需要时请重新接通。",
      camera: "摄像机：", lost: "与平台的线路中断。", microphone: "无法打开麦克风。", insecure: "浏览器只允许 https 页面使用麦克风。",
    },
  },
});
