// What the page of reporters says, in both languages.

import { teach } from "./language.js";

const STATES = {
  zh: { new: "等待受理", dispatched: "已派单处理", answered: "已答复", rejected: "不予受理" },
  en: { new: "Waiting to be read", dispatched: "Somebody was sent", answered: "Answered", rejected: "Not taken up" },
};

teach({
  report: "随手拍", mine: "我上报的", takePhoto: "拍照", kind: "是什么事", what: "说明情况", whatHint: "例如：路口积水，电动车已无法通行",
  place: "地点", placeHint: "村名、路名、门牌或标志物", position: "附上我现在的位置", contact: "联系电话（可不填）",
  contactHint: "需要时我们会联系您", sendReport: "提交", promise: "紧急情况请直接拨打 110、119、120。照片中的位置和手机信息会被去除；电话加密保存，办结后删除。",
  closed: "这里暂不接受上报", closedWhy: "请直接联系村值班室。", thanks: "已收到，谢谢！", thanksWhy: (r) => `编号 ${r}。再次打开本页可查看处理结果。`,
  photoLost: "有照片没有送达，其余已收到。", another: "再报一件", states: STATES.zh, positionLost: "无法取得位置，请在“地点”中说明。",
  positionTaken: (m) => `位置误差约 ${m} 米`, tooLarge: "这张照片太大，手机无法缩小。", most: (n) => `最多 ${n} 张照片`,
  notTaken: (m) => `没有被接受：${m}`, remove: "删除这张照片",
}, {
  report: "Report", mine: "What I reported", takePhoto: "Take a photo", kind: "What is it", what: "What is the matter", whatHint: "Water on the crossing, nobody gets through",
  place: "Where", placeHint: "Village, road, number, something that can be seen", position: "Send where I am now", contact: "Telephone (may be left out)",
  contactHint: "We ring up if we have to ask", sendReport: "Send", promise: "In an emergency ring 110, 119 or 120. Place and device are taken out of photos; your number is stored encrypted and erased afterwards.",
  closed: "Reports are not taken here", closedWhy: "Ring up the duty room of the village.", thanks: "Received. Thank you!", thanksWhy: (r) => `Number ${r}. Open this page again to see what became of it.`,
  photoLost: "A photo could not be delivered; the rest was received.", another: "Report something else", states: STATES.en, positionLost: "Your place cannot be had: say it in words.",
  positionTaken: (m) => `Accurate to about ${m} m`, tooLarge: "This photo is too large, and this phone cannot make it smaller.", most: (n) => `At most ${n} photos`,
  notTaken: (m) => `It was not taken: ${m}`, remove: "Remove this photo",
});
