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
    session: "the session is over", stopping: "the hub is being restarted", silent: "the line was too slow to begin",
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
      session: "登录已结束", stopping: "平台正在重启", silent: "网络太慢，未能开始",
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
