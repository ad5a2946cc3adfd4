/** The real CRIU: its options and configuration, where it is, how it is started, what its log says. */
export { configLines, configText } from "./config-file.ts";
export { configSources, parseConfig } from "./config.ts";
export { criuEnvironment } from "./environment.ts";
export { findCriu, type Found } from "./find.ts";
export { commandOf, type ParsedOption, type ParsedWords, parseWords } from "./getopt.ts";
export { causeLine, errorLines, firstCause, type LogLine, parseLogLine } from "./log.ts";
export { linesOf } from "../host/lines.ts";
export { type Argument, type CriuOption, criuOptions, type OwnOption } from "./options.ts";
export { ownConfigFile, type OwnOptions, ownOptions } from "./own.ts";
export {
  type CgroupMode,
  cgroupModes,
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
  runsScriptsByRpc,
  SCRIPTS_BY_RPC,
  startRefusal,
} from "./version.ts";
