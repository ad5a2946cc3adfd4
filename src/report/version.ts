/** Set by scripts/build from package.json. */
declare const RECRIU_VERSION: string | undefined;

export const version: string = typeof RECRIU_VERSION === "string" ? RECRIU_VERSION : "0.0.0-source";
