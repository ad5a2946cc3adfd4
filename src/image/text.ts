export { fromBytes, toBytes } from "../sys/text.ts";
