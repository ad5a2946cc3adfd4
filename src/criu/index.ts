/** The real CRIU: its options and configuration, where it is, how it is started, what its log says. */
export { configSources, parseConfig } from "./config.ts";
export { criuEnvironment } from "./environment.ts";
export { has, since } from "./features.ts";
export { findCriu, type Found } from "./find.ts";
export { commandOf, type ParsedOption, type ParsedWords, parseWords } from "./getopt.ts";
export { causeLine, errorLines, firstCause, linesOf, type LogLine, parseLogLine } from "./log.ts";
export type { OwnOption } from "./option.ts";
export { requestOptions } from "./option-names.ts";
export { criuOptions } from "./options.ts";
export { ownConfigFile, type OwnOptions, ownOptions } from "./own.ts";
export {
  type CgroupRoot,
  type External,
  type InheritFd,
  type JoinNs,
  type Request,
} from "./request.ts";
export {
  criuWords,
  type Exit,
  type RunningCriu,
  type Start,
  startCriu,
  withheld,
} from "./start.ts";
export { requestFrom, type RequestResult } from "./understand.ts";
export {
  compareVersions,
  cpuRefusal,
  hasFeature,
  identify,
  isBeyondKnown,
  NEWEST_IMAGES,
  NEWEST_KNOWN,
  startRefusal,
} from "./version.ts";
