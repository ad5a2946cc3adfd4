/** What is in the binary that is not recriu's: for the notices and the bill of materials. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type About, repository } from "./about.ts";

export interface Part {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  /** The licence's text, which the package brings along. */
  readonly text: string;
  /** As package-lock.json has it: `sha512-…`. */
  readonly integrity: string;
}

/** The npm packages in the binary: what bundling takes files from, as package-lock.json pins it. */
export async function npmParts(): Promise<Part[]> {
  const { metafile } = await Bun.build({
    entrypoints: [join(repository, "src/main.ts")],
    target: "bun",
    splitting: true,
    metafile: true,
  });
  const names = Object.keys(metafile!.inputs).map(
    (path) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1],
  );
  return [...new Set(names)]
    .filter((name) => name !== undefined)
    .sort()
    .map((name) => {
      const text = readdirSync(join(repository, "node_modules", name)).find((file) =>
        /^licen[cs]e(\.md)?$/i.test(file),
      );
      if (text === undefined) throw new Error(`${name} brings no text of its licence along`);
      return {
        ...locked(name),
        license: (json(`node_modules/${name}/package.json`) as { license: string }).license,
        text: readFileSync(join(repository, "node_modules", name, text), "utf8").trim(),
      };
    });
}

/** A package of package-lock.json. */
export function locked(name: string): { name: string; version: string; integrity: string } {
  const { packages } = json("package-lock.json") as {
    packages: Record<string, { version: string; integrity: string }>;
  };
  const found = packages[`node_modules/${name}`];
  if (found === undefined) throw new Error(`package-lock.json has no ${name}`);
  return { name, version: found.version, integrity: found.integrity };
}

const json = (path: string): unknown => JSON.parse(readFileSync(join(repository, path), "utf8"));

/**
 * What Bun links statically on Linux, by the list that Bun publishes (LICENSE.md of its repository); the licences
 * are SPDX names where there is one.
 */
export const partsOfBun: readonly (readonly [name: string, license: string])[] = [
  ["WebKit (JavaScriptCore, WTF, parts of WebCore)", "LGPL-2.0-only"],
  ["BoringSSL", "Apache-2.0 AND ISC AND OpenSSL"],
  ["Brotli", "MIT"],
  ["libarchive", "BSD-2-Clause"],
  ["lol-html", "BSD-3-Clause"],
  ["ls-hpack", "MIT"],
  ["ls-qpack", "MIT"],
  ["lsquic", "MIT AND BSD-3-Clause"],
  ["mimalloc", "MIT"],
  ["picohttpparser", "MIT"],
  ["Zstandard", "BSD-3-Clause"],
  ["simdutf", "Apache-2.0"],
  ["TinyCC", "LGPL-2.1-only"],
  ["uSockets", "Apache-2.0"],
  ["uWebSockets", "Apache-2.0"],
  ["zlib-ng", "Zlib"],
  ["c-ares", "MIT"],
  ["ICU", "Unicode-3.0"],
  ["base64", "BSD-2-Clause"],
  ["libdeflate", "MIT"],
  ["libjpeg-turbo", "IJG AND BSD-3-Clause AND Zlib"],
  ["libspng", "BSD-2-Clause"],
  ["libwebp", "BSD-3-Clause"],
  ["Highway", "Apache-2.0"],
  ["uucode", "MIT"],
  ["LLVM libc++abi (thread exit)", "Apache-2.0 WITH LLVM-exception"],
  ["esbuild (ported)", "MIT"],
  ["Node.js polyfills (acorn, assert, buffer, events, url, util and others)", "MIT"],
];

/** CycloneDX 1.5. `runtimes` are the npm packages of Bun that the binaries are made of. */
export function sbom(
  { version, epoch, license }: About,
  parts: readonly Part[],
  runtimes: readonly string[],
): string {
  const reference = (name: string, at: string) => `pkg:npm/${name.replace("@", "%40")}@${at}`;
  const npm = parts.map((part) => component(part, part.license, reference));
  const bun = runtimes.map((name) => component(locked(name), "MIT", reference));
  const inBun = partsOfBun.map(([name, expression]) => ({
    type: "library",
    "bom-ref": `bun/${name}`,
    name,
    licenses: [{ expression }],
  }));
  const self = reference("recriu", version);
  const document = {
    $schema: "http://cyclonedx.org/schema/bom-1.5.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.5",
    version: 1,
    metadata: {
      timestamp: new Date(epoch * 1000).toISOString(),
      component: {
        type: "application",
        "bom-ref": self,
        name: "recriu",
        version,
        licenses: [{ license: { id: license } }],
        purl: self,
      },
    },
    components: [...npm, ...bun, ...inBun],
    dependencies: [
      { ref: self, dependsOn: [...npm, ...bun].map((each) => each["bom-ref"]) },
      ...bun.map((each) => ({
        ref: each["bom-ref"],
        dependsOn: inBun.map((part) => part["bom-ref"]),
      })),
    ],
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

function component(
  { name, version, integrity }: { name: string; version: string; integrity: string },
  license: string,
  reference: (name: string, version: string) => string,
) {
  const hash = Buffer.from(integrity.replace("sha512-", ""), "base64").toString("hex");
  return {
    type: "library",
    "bom-ref": reference(name, version),
    name,
    version,
    hashes: [{ alg: "SHA-512", content: hash }],
    licenses: [{ license: { id: license } }],
    purl: reference(name, version),
  };
}

/** THIRD-PARTY.md. */
export function notices(npm: readonly Part[]): string {
  const bun = locked("bun").version;
  return `# Third-party notices

The program \`recriu\` is one file: recriu's own code (Apache-2.0, see LICENSE), a few npm packages, and the
runtime Bun ${bun} with what that links statically. CRIU is no part of it: recriu starts the CRIU of the machine.

## npm packages

| package | version | licence |
| --- | --- | --- |
${npm.map(({ name, version, license }) => `| ${name} | ${version} | ${license} |`).join("\n")}

${npm.map(({ name, text }) => `### ${name}\n\n${text.replace(/^/gm, "    ").replace(/ +$/gm, "")}`).join("\n\n")}

## Bun ${bun}

Bun is MIT-licensed; it is used unchanged, as the npm packages \`@oven/bun-linux-*\` ${bun} hold it. Its source is
the tag bun-v${bun} of the repository oven-sh/bun.

It links WebKit's JavaScriptCore and TinyCC, which are under the GNU Lesser General Public License. You may change
them and link Bun anew: the source of Bun at that tag says how to build it (\`LICENSE.md\`, \`CONTRIBUTING.md\`) and
names the commit of oven-sh/WebKit. recriu's source and \`scripts/build\` then make recriu from the Bun that you built
(\`--compile-executable-path\`).

| part | licence |
| --- | --- |
${partsOfBun.map(([name, license]) => `| ${name} | ${license} |`).join("\n")}
`;
}
