/** Images as `ip route save` writes them: rtnetlink(7). */
const aligned = (bytes: Uint8Array): Buffer =>
  Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);

export function attribute(type: number, value: readonly number[]): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt16LE(4 + value.length, 0);
  head.writeUInt16LE(type, 2);
  return aligned(Buffer.concat([head, Buffer.from(value)]));
}

/** struct rtnexthop and its attributes. */
export function nexthop(flags: number, device: number, attributes: Uint8Array = Buffer.alloc(0)) {
  const head = Buffer.alloc(8);
  head.writeUInt16LE(8 + attributes.length, 0);
  head[2] = flags;
  head.writeUInt32LE(device, 4);
  return Buffer.concat([head, attributes]);
}

export function route({
  flags = 0,
  family = 2,
  attributes = [],
}: {
  flags?: number;
  family?: number;
  attributes?: readonly Uint8Array[];
}): Buffer {
  const head = Buffer.alloc(28);
  const bytes = Buffer.concat([head, ...attributes]);
  bytes.writeUInt32LE(bytes.length, 0);
  bytes.writeUInt16LE(24, 4); // RTM_NEWROUTE
  bytes.set([family, 24], 16);
  bytes.writeUInt32LE(flags, 24);
  return bytes;
}

export function routes(...messages: readonly Uint8Array[]): Buffer {
  const magic = Buffer.alloc(4);
  magic.writeUInt32LE(0x45311224);
  return Buffer.concat([magic, ...messages]);
}
