/** A machine of which nothing is known but what a test says: a check that asks for more is told so by name. */
import type { Host } from "../../src/host/index.ts";

export function quietHost(faked: Partial<Host> = {}): Host {
  return new Proxy(faked as Host, {
    get(host, name) {
      if (name in host || typeof name === "symbol") return Reflect.get(host, name);
      throw new Error(`the test says nothing of the host's ${name}`);
    },
  });
}
