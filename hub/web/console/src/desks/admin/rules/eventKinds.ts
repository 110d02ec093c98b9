// Kinds of events the hub makes or knows, offered while one is typed; others may be typed too.
const STATES = ["motion", "scene_change", "tamper", "picture_too_blurry", "picture_too_dark", "picture_too_bright", "fan_failure", "power_supply_failure", "storage_failure", "temperature_critical", "intrusion", "person", "vehicle", "sound", "digital_input", "relay"];
export const EVENT_KINDS: readonly string[] = [
  ...STATES.flatMap((name) => [`${name}.started`, `${name}.stopped`]),
  "signal.lost", "signal.restored", "link.lost", "link.restored", "line.crossed", "point.stuck", "point.moving", "point.silent", "point.heard", "point.out_of_range", "point.in_range",
  "certificate.expiring", "certificate.renewed", "device.flapping", "device.steady", "device.offline", "device.online", "device.degraded", "device.firmware_changed", "device.identity_conflict",
  "receiver.failing", "receiver.working", "template.failed", "template.mended", "patrol.round_missed", "patrol.round_unattended", "patrol.round_finished", "patrol.report_ready", "patrol.report_signed",
  "roll_call.unanswered", "roll_call.answered", "dispatch.opened", "dispatch.overdue", "dispatch.on_time", "dispatch.closed", "citizen_report.received", "door.opened", "door.closed",
].sort();
