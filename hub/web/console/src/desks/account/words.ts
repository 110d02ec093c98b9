import { wordsOf } from "$/hub/language.svelte";

export const words = wordsOf({
  en: {
    title: "My account", signedInAs: (name: string) => `Signed in as ${name}`, signOut: "Sign out", rolesTitle: "My roles", noRoles: "No role yet: an administrator gives one.",
    look: "Display", language: "Language", theme: "Theme", languages: { zh: "中文", en: "English" }, lookNote: "Kept in this browser.",
    passwordTitle: "Password", current: "Present password", next: "New password", again: "New password once more", change: "Change the password", changeNote: "Ends all your other sessions and all your tokens.", changed: "The password was changed. Your other sessions and tokens have ended.", differ: "The two are not the same.", wrong: "The present password is wrong.",
    sound: "Sound of alerts", soundNote: "What sounds, and how loud. Your choices follow you to your other screens; a mute is of this screen.",
    tokens: "Tokens for programs", tokensNote: "A token may do all that you may. It is shown once.", tokenName: "What it is for", expires: "Ends (empty: never)", make: "Make a token", made: "This is the token. It is shown here once.", copy: "Copy", copied: "Copied.", understood: "Done", revoke: (name: string) => `Revoke ${name}`, revokeTitle: (name: string) => `Revoke the token “${name}”?`, revokeNote: "Programs that use it are refused at once.", revokeWord: "Revoke", revoked: "Revoked.", keep: "Keep it", created: "Made", used: "Last used", ends: "Ends", never: "never", neverUsed: "never used", expired: "over", none: "You have no token.", unused: "not used for 90 days",
  },
  zh: {
    title: "我的账户", signedInAs: (name) => `当前登录：${name}`, signOut: "退出", rolesTitle: "我的角色", noRoles: "还没有角色，请管理员授予。",
    look: "显示", language: "语言", theme: "外观", languages: { zh: "中文", en: "English" }, lookNote: "保存在此浏览器中。",
    passwordTitle: "密码", current: "当前密码", next: "新密码", again: "再次输入新密码", change: "修改密码", changeNote: "将结束您的其他登录和全部令牌。", changed: "密码已修改，其他登录和令牌已失效。", differ: "两次输入不一致。", wrong: "当前密码不对。",
    sound: "告警声音", soundNote: "哪些告警发声、音量多大。选择随您到其他屏幕；静音只对本屏幕有效。",
    tokens: "程序令牌", tokensNote: "令牌拥有您的全部权限，只显示一次。", tokenName: "用途", expires: "到期（空：永不）", make: "创建令牌", made: "令牌如下，只在此显示一次。", copy: "复制", copied: "已复制。", understood: "完成", revoke: (name) => `吊销${name}`, revokeTitle: (name) => `吊销令牌“${name}”？`, revokeNote: "使用它的程序将立即被拒绝。", revokeWord: "吊销", revoked: "已吊销。", keep: "保留", created: "创建于", used: "最近使用", ends: "到期", never: "永不", neverUsed: "从未使用", expired: "已到期", none: "您没有令牌。", unused: "90 天未使用",
  },
});
