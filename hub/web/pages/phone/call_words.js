// What the page of a roll call says, in both languages.

import { teach } from "./language.js";

teach({
  rollCall: "点名", question: "值班室有人吗？请输入下面的数字和您的姓名。", typeCode: "输入上面的四位数字", yourName: "您的姓名",
  here: "在岗", wrong: "数字不对，请看清后再输入。", notTaken: (m) => `没有被接受：${m}`,
  thanks: "已应答，谢谢！", thanksWhy: "可以关闭本页。",
  over: "此点名已结束", overWhy: "已过应答时间，或已有人应答。请联系县值班室。",
}, {
  rollCall: "Roll call", question: "Is somebody there? Type the number below and your name.", typeCode: "Type the four digits above", yourName: "Your name",
  here: "I am here", wrong: "These are not the digits: look again.", notTaken: (m) => `It was not taken: ${m}`,
  thanks: "Answered. Thank you!", thanksWhy: "You may close this page.",
  over: "This roll call is over", overWhy: "The time is up, or somebody has answered. Ring up the county's duty room.",
});
