import { wordsOf } from "$/hub/language.svelte";

export const words = wordsOf({
  en: {
    title: "Map", chart: "Map of the devices", search: "Go to a device", kind: "Kind", allKinds: "All kinds", grouped: "Grouped", areas: "Areas and rates", all: "Everything", fit: "Show all",
    legend: "States", shown: (n: string) => `${n} on the map`, unplaced: (n: string) => `${n} have no position`, unplacedWhy: "They are missing on this map, not in the list of devices.",
    inView: (n: string, bad: string) => `In view: ${n}, of these ${bad} offline or degraded.`, cut: (n: string) => `The worst ${n} of them:`, nothing: "Nothing is in view.", listTitle: "What is in view",
    alerts: "Open alerts", alertsWhy: "A ring round a device: dotted in time, dashed near its deadline, full when overdue.",
    noGraphics: "This browser cannot draw the map (WebGL is missing or switched off). The devices are in the list.", toList: "To the list of devices",
    device: "Device", devicesHere: (n: number) => `${n} devices at this place`, since: "since", why: "Why", alert: "Open alert", alertsMore: (n: number) => `${n} open alerts`, area: "Area", noAlert: "No open alert", close: "Close",
    openDevice: "Device page", openWall: "On the wall", openAlert: "To the alert", picture: "Last picture", noPicture: "No picture of this camera is kept.", noPlace: "This device has no position.", gone: "There is no such device, or it is not yours to see.",
    zoomIn: "Closer", zoomOut: "Farther", rate: (rate: string) => rate, collecting: (share: string) => `known ${share}`, areaLegend: "Online rate now", good: "99 % or more", warn: "95 % to 99 %", bad: "below 95 % (hatched)", unknown: "less than 95 % is known",
    areaCard: (name: string) => `Area ${name}`, managed: "Managed", answering: "Answering", unknownCount: "Unknown", onlineNow: "Online rate now", coverage: "Known", filterArea: "Show only this area", allAreas: "Show all areas", toOverview: "Overview of this area", removeOutline: "Take the outline off the map", removeAsk: "Take the outline of this area off the map? It can be imported again.", removed: "The outline is off the map.", remove: "Take it off", cancel: "Cancel",
    tilesTrouble: (why: string) => `The background cannot be shown: ${why}`, broke: "Part of the map could not be drawn.", keyIn: "Closer", keyOut: "Farther", keyAll: "Show all", keyClose: "Close the card", keySearch: "Go to a device",
    import: "Outlines…", importTitle: "Import outlines of areas", importWhat: "A GeoJSON file (FeatureCollection of polygons). One property of each feature holds the code of its area. The file is taken whole or not at all.",
    file: "File", property: "Property with the code of the area", datum: "Coordinates", wgs84: "WGS-84 (GPS)", gcj02: "GCJ-02 (Chinese web maps): moved to WGS-84", check: "Check", take: "Import", again: "Another file", notJson: "This file is no GeoJSON FeatureCollection.",
    found: (n: number, fits: number) => `${n} features, of these ${fits} with the code of an area of yours.`, checked: (n: string, corners: string) => `All is well: ${n} areas, ${corners} corners. Nothing was changed yet.`, taken: (n: string) => `Outlines of ${n} areas were imported.`,
    refused: (n: string) => `Refused, nothing was changed: ${n} features are wrong.`, feature: "Feature", name: "Its name", fault: "What is wrong", busy: "Looking at the file…",
    faults: {
      "no-area": "No area of yours has this code.", "no-code": "It lacks the property with the code.", "code-twice": "Another feature before it names the same area.", "not-polygon": "It is no polygon.",
      "ring-open": "A ring does not end where it begins.", "ring-short": "A ring has fewer than three places that differ.", "out-of-bounds": "A place lies outside of the earth's degrees. Are these metres?", "too-many-corners": "It has too many corners. Simplify it.", malformed: "Its coordinates are not pairs of numbers.",
    },
  },
  zh: {
    title: "地图", chart: "设备地图", search: "定位设备", kind: "类型", allKinds: "全部类型", grouped: "聚合", areas: "区域与在线率", all: "全部", fit: "显示全部",
    legend: "状态", shown: (n) => `图上 ${n} 台`, unplaced: (n) => `${n} 台没有坐标`, unplacedWhy: "它们不在图上，但在设备列表里。",
    inView: (n, bad) => `当前视野 ${n} 台，其中离线或异常 ${bad} 台。`, cut: (n) => `最严重的 ${n} 台：`, nothing: "视野内没有设备。", listTitle: "视野内的设备",
    alerts: "未解除告警", alertsWhy: "设备外圈：点线为按时，虚线为将到期，实线为已逾期。",
    noGraphics: "此浏览器不能绘制地图（没有 WebGL 或已关闭）。请使用设备列表。", toList: "打开设备列表",
    device: "设备", devicesHere: (n) => `此处有 ${n} 台设备`, since: "自", why: "原因", alert: "未解除告警", alertsMore: (n) => `${n} 条未解除告警`, area: "区域", noAlert: "没有未解除的告警", close: "关闭",
    openDevice: "设备详情", openWall: "看实时画面", openAlert: "查看告警", picture: "最近画面", noPicture: "没有保存该摄像机的画面。", noPlace: "该设备没有坐标。", gone: "没有这台设备，或不在您的权限内。",
    zoomIn: "放大", zoomOut: "缩小", rate: (rate) => rate, collecting: (share) => `已知 ${share}`, areaLegend: "当前在线率", good: "99% 及以上", warn: "95%～99%", bad: "低于 95%（加斜线）", unknown: "已知不足 95%",
    areaCard: (name) => `区域：${name}`, managed: "纳管", answering: "有应答", unknownCount: "未知", onlineNow: "当前在线率", coverage: "已知比例", filterArea: "只看此区域", allAreas: "看全部区域", toOverview: "此区域总览", removeOutline: "从图上去掉边界", removeAsk: "要从图上去掉此区域的边界吗？以后可以重新导入。", removed: "边界已去掉。", remove: "去掉", cancel: "取消",
    tilesTrouble: (why) => `底图无法显示：${why}`, broke: "地图有一部分没有画出来。", keyIn: "放大", keyOut: "缩小", keyAll: "显示全部", keyClose: "关闭卡片", keySearch: "定位设备",
    import: "区域边界…", importTitle: "导入区域边界", importWhat: "GeoJSON 文件（由多边形组成的 FeatureCollection）。每个要素有一个属性写着区域编码。文件要么整体导入，要么完全不导入。",
    file: "文件", property: "写有区域编码的属性", datum: "坐标系", wgs84: "WGS-84（GPS）", gcj02: "GCJ-02（国内网络地图）：换算为 WGS-84", check: "检查", take: "导入", again: "换一个文件", notJson: "这不是 GeoJSON 的 FeatureCollection 文件。",
    found: (n, fits) => `共 ${n} 个要素，其中 ${fits} 个的编码是您的区域。`, checked: (n, corners) => `检查通过：${n} 个区域，${corners} 个顶点。尚未更改任何内容。`, taken: (n) => `已导入 ${n} 个区域的边界。`,
    refused: (n) => `未导入，没有做任何更改：有 ${n} 个要素不对。`, feature: "要素", name: "名称", fault: "问题", busy: "正在检查文件…",
    faults: {
      "no-area": "您的区域中没有这个编码。", "no-code": "缺少写有编码的属性。", "code-twice": "前面已有要素写了同一个区域。", "not-polygon": "不是多边形。",
      "ring-open": "有一个环首尾不相接。", "ring-short": "有一个环不足三个不同的点。", "out-of-bounds": "有的点超出经纬度范围，单位是不是米？", "too-many-corners": "顶点太多，请先简化。", malformed: "坐标不是成对的数字。",
    },
  },
});
