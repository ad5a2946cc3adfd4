/** The real CRIU: its options and configuration, where it is, how it is started, what its log says. */
export { configLines, configProblem, configText } from "./config-file.ts";
export { configSources, parseConfig } from "./config.ts";
export { knows, since } from "./features.ts";
export { absoluteFrom } from "./paths.ts";
export { findCriu, type Found, otherCrius } from "./find.ts";
export { commandOf, parseWords } from "./getopt.ts";
export {
  type IsolationKind,
  isolationKinds,
  type Network,
  pathOfNetwork,
  withCompany,
} from "./isolation.ts";
export { errorLines, type LogLine, parseLogLine } from "./log.ts";
export { causeLine, firstCause } from "./worth.ts";
export { linesOf } from "../host/lines.ts";
export type { RecriuOption } from "./option.ts";
export { requestOptions } from "./option-names.ts";
export { criuOptions } from "./options.ts";
export { recriuOptions } from "./own-options.ts";
export { isKey, mustBeSeen, mustBeSigned, type Settings } from "./settings.ts";
export { type Request } from "./request.ts";
export {
  criuWords,
  type Exit,
  type RunningCriu,
  type Start,
  startCriu,
  type Through,
  withheld,
} from "./start.ts";
export { requestFrom } from "./understand.ts";
export {
  compareVersions,
  cpuRefusal,
  identify,
  isBeyondKnown,
  NEWEST_IMAGES,
  NEWEST_KNOWN,
  featureRefusal,
  type Refusal,
  startRefusal,
} from "./version.ts";
