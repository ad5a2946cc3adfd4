/** A manifest's text, believed in nothing. */
import type { Manifest } from "./manifest.ts";
import { parsedJson } from "./others-json.ts";

const NAME = /^(?:parent\/){0,64}[^/\0]+$/;
const SHA256 = /^[0-9a-f]{64}$/;

export function parseManifest(
  text: string,
): { ok: true; manifest: Manifest } | { ok: false; problem: string } {
  let value: unknown;
  try {
    value = parsedJson(text);
  } catch (error) {
    return { ok: false, problem: `it is no JSON: ${(error as Error).message}` };
  }
  const odd = whatIsOdd(value);
  return odd === undefined
    ? { ok: true, manifest: value as Manifest }
    : { ok: false, problem: odd };
}

const isSize = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
const isMode = (value: unknown): boolean => isSize(value) && (value as number) <= 0o7777;
const isText = (value: unknown): value is string => typeof value === "string";
const isTime = (value: unknown): boolean => isText(value) && !Number.isNaN(Date.parse(value));
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function whatIsOdd(value: unknown): string | undefined {
  if (!isObject(value) || value.schema !== 1) return "it is no manifest that this recriu knows";
  const { recriu, criu, kernel, machine, cpu, images, files } = value;
  if (![recriu, kernel, machine].every(isText) || !(criu === null || isText(criu)))
    return "a version in it is no text";
  if (!Array.isArray(cpu) || !cpu.every(isText)) return "its flags of the processor are no texts";
  if (!(value.host === undefined || isMachine(value.host)))
    return "what it says of its machine is none";
  if (!isObject(images)) return "it has no images";
  for (const [name, sum] of Object.entries(images)) {
    if (!NAME.test(name) || /(^|\/)\.\.?$/.test(name)) return `${name} is no image's name`;
    if (!isSum(sum)) return `what it says of ${name} is no sum`;
  }
  if (!Array.isArray(files)) return "it has no files";
  const strange = files.find(
    (file) =>
      !isObject(file) ||
      !isText(file.path) ||
      !isSize(file.size) ||
      !isMode(file.mode) ||
      !(file.mtime === undefined || isTime(file.mtime)) ||
      !(file.build_id === null || isText(file.build_id)) ||
      !(file.taken === undefined || isTaken(file.taken)),
  );
  if (strange !== undefined) return "a file in it has no path, size, mode, time or build-id";
  const { directories = [] } = value;
  return Array.isArray(directories) && directories.every(isAbove)
    ? undefined
    : "a directory in it has no path, mode or owner";
}

const isId = (value: unknown): boolean => isSize(value) && (value as number) < 2 ** 32 - 1;

const isSum = (value: unknown): boolean =>
  isObject(value) && isSize(value.size) && SHA256.test(String(value.sha256));

const isTaken = (value: unknown): boolean =>
  isObject(value) &&
  SHA256.test(String(value.sha256)) &&
  (value.packed === undefined || isSum(value.packed)) &&
  isId(value.uid) &&
  isId(value.gid) &&
  typeof value.newer === "boolean" &&
  (value.sparse === undefined || typeof value.sparse === "boolean") &&
  (value.inode === undefined || /^\d+:\d+$/.test(String(value.inode))) &&
  isObject(value.xattrs) &&
  Object.values(value.xattrs).every(isText);

const isAbove = (value: unknown): boolean =>
  isObject(value) && isText(value.path) && isMode(value.mode) && isId(value.uid) && isId(value.gid);

const isAmount = (value: unknown): boolean =>
  value === undefined || (Number.isFinite(value) && (value as number) > 0);

const isMachine = (value: unknown): boolean =>
  isObject(value) &&
  isSize(value.page_size) &&
  isAmount(value.processors) &&
  isAmount(value.memory) &&
  isObject(value.limits) &&
  isAmount(value.limits.memory) &&
  isAmount(value.limits.processors) &&
  (value.lsm === undefined || (Array.isArray(value.lsm) && value.lsm.every(isText))) &&
  Array.isArray(value.gpus) &&
  value.gpus.every(
    (gpu) => isObject(gpu) && isText(gpu.model) && (gpu.driver === null || isText(gpu.driver)),
  );
