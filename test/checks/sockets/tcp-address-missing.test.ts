import { textOf } from "../../../src/checks/sockets/inet-entries.ts";
import { tcpAddressMissing } from "../../../src/checks/sockets/tcp-address-missing.ts";
import { withContext } from "../context.ts";
import { imagesWith, tcp } from "../sockets.ts";
import { expect, test } from "bun:test";

test("an address is asked for once, of IPv6 only for connections", () => {
  const asked: string[] = [];
  const bindAddress = (address: Uint8Array) => (asked.push(textOf(address)), -99);
  const run = (isk: object) =>
    withContext(
      imagesWith(tcp(isk)),
      { host: { bindAddress, interfaces: undefined, addresses: [] } },
      (context) => [...tcpAddressMissing.run(context)].map(({ subject }) => subject),
    );
  const six = { family: 10, src_addr: [0xb80d0120, 0, 0, 0x01000000], dst_addr: [0, 0, 0, 0] };
  expect(run({})).toEqual(["127.0.0.1"]);
  expect(run({ src_addr: [0] })).toEqual([]);
  expect(run(six)).toEqual([]);
  expect(run({ ...six, dst_port: 9 })).toEqual(["2001:db8::1"]);
  expect(asked).toEqual(["127.0.0.1", "2001:db8::1"]);
});
