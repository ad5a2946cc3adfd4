export { type Bytes, fromBytes, toBytes } from "../sys/text.ts";
