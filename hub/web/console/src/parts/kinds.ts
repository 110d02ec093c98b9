// What findings, tasks and reports of residents are about. A site may have words of its own.
import { wordsOf } from "$/hub/language.svelte";

export const kindWords = wordsOf({
  en: { camera_down: "Camera down", picture_bad: "Bad picture", view_blocked: "View blocked", something_moving: "Something moving", fire_smoke: "Fire or smoke", water: "Water", road: "Road damage", obstruction: "Way obstructed", waste: "Waste", facility: "Damaged facility", duty_room: "Duty room silent", other: "Other" },
  zh: { camera_down: "摄像机不通", picture_bad: "画面质量差", view_blocked: "视野被挡", something_moving: "有物移动", fire_smoke: "烟火", water: "积水险情", road: "道路损坏", obstruction: "占道堵塞", waste: "垃圾堆放", facility: "公共设施损坏", duty_room: "值班室无人", other: "其他" },
});
export const KINDS = ["camera_down", "picture_bad", "view_blocked", "something_moving", "fire_smoke", "water", "road", "obstruction", "waste", "facility", "duty_room", "other"] as const;
