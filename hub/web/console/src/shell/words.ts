import { wordsOf } from "$/hub/language.svelte";

export const words = wordsOf({
  en: {
    product: "Gengfu", overview: "Overview", wall: "Live wall", alerts: "Alerts", patrol: "Patrol", dispatch: "Dispatch",
    devices: "Devices", map: "Map", reports: "Reports", admin: "Administration", account: "My account",
    signIn: "Sign in", signOut: "Sign out", name: "User name", password: "Password", wrong: "The name or the password is wrong.",
    sessionOver: "Your session has ended. Sign in again: what you typed is still here.",
    live: "Live", connecting: "Connecting…",
    stale: (at: string, age: string) => `The database does not answer. What is shown is of ${at} (${age} old).`,
    lost: (at: string, age: string) => `The connection to the hub is lost. What is shown is of ${at} (${age} old). Trying again…`,
    theme: "Theme", light: "Light", dark: "Dark", auto: "As the system", language: "中文", skip: "Go to the content", menu: "Pages",
    notFound: "There is no such page.", forbiddenPage: "Your role does not open this page.", home: "To the overview", broken: "This page could not be loaded.", reload: "Load again",
    unreachable: "The hub cannot be reached. Nothing was changed.", forbidden: "Your role may not do this here.",
    tooMany: (s: number) => `Too many tries. Wait ${s} s and try again.`, close: "Close", keysTitle: "Keys of this page", keysHint: "Keys", clock: "Time of the site",
    hubVersion: (v: string) => `Version ${v}`, collapse: "Fold the menu", loading: "Loading…",
  },
  zh: {
    product: "更夫", overview: "总览", wall: "实时画面", alerts: "告警", patrol: "视频巡查", dispatch: "调度",
    devices: "设备", map: "地图", reports: "报表", admin: "系统管理", account: "我的账户",
    signIn: "登录", signOut: "退出", name: "用户名", password: "密码", wrong: "用户名或密码不对。",
    sessionOver: "登录已结束，请重新登录。您输入的内容仍在。",
    live: "实时", connecting: "正在连接…",
    stale: (at, age) => `数据库无应答。所示为 ${at} 的情况（${age}前）。`,
    lost: (at, age) => `与平台的连接中断。所示为 ${at} 的情况（${age}前），正在重连…`,
    theme: "外观", light: "浅色", dark: "深色", auto: "跟随系统", language: "English", skip: "跳到正文", menu: "页面",
    notFound: "没有这个页面。", forbiddenPage: "您的角色不能打开此页。", home: "回到总览", broken: "页面加载失败。", reload: "重新加载",
    unreachable: "连不上平台，没有做任何更改。", forbidden: "您的角色不能在此执行该操作。",
    tooMany: (s) => `尝试次数过多，请等 ${s} 秒再试。`, close: "关闭", keysTitle: "本页快捷键", keysHint: "快捷键", clock: "本站时间",
    hubVersion: (v) => `版本 ${v}`, collapse: "收起菜单", loading: "正在加载…",
  },
});
