/** A VNC client that looks once: RFB 3.8 (RFC 6143), no security, raw encoding, over a Unix socket. */
import { connect } from "node:net";

export interface Screen {
  /** The server's name for the desktop. */
  name: string;
  width: number;
  height: number;
  /** Red, green, blue of every pixel, row by row. */
  rgb: Buffer;
}

const NO_SECURITY = 1;
const SET_PIXEL_FORMAT = 0;
const SET_ENCODINGS = 2;
const UPDATE_REQUEST = 3;
const RAW = 0;

/** Connect, and get the whole screen. */
export async function lookAt(socket: string): Promise<Screen> {
  const { read, write, end } = await open(socket);
  try {
    const version = (await read(12)).toString();
    if (version !== "RFB 003.008\n")
      throw new Error(`the server speaks ${JSON.stringify(version)}`);
    write(Buffer.from(version));
    const kinds = await read((await read(1))[0]!);
    if (!kinds.includes(NO_SECURITY)) throw new Error("the server wants a password");
    write(Buffer.of(NO_SECURITY));
    if ((await read(4)).readUInt32BE() !== 0) throw new Error("the server refuses");
    write(Buffer.of(1)); // shared
    const init = await read(24);
    const [width, height] = [init.readUInt16BE(0), init.readUInt16BE(2)];
    const name = (await read(init.readUInt32BE(20))).toString();

    // 32 bits a pixel, little-endian, 8 bits a colour: blue, green, red, nothing.
    const format = [32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0];
    write(Buffer.from([SET_PIXEL_FORMAT, 0, 0, 0, ...format]));
    write(Buffer.from([SET_ENCODINGS, 0, 0, 1, 0, 0, 0, RAW]));
    const request = Buffer.alloc(10);
    request.writeUInt8(UPDATE_REQUEST, 0);
    request.writeUInt16BE(width, 6);
    request.writeUInt16BE(height, 8);
    write(request);

    const rgb = Buffer.alloc(width * height * 3);
    const head = await read(4);
    if (head[0] !== 0) throw new Error(`message ${head[0]} where a frame was asked for`);
    for (let left = head.readUInt16BE(2); left > 0; left--) {
      const rect = await read(12);
      const [x, y, w, h] = [0, 2, 4, 6].map((at) => rect.readUInt16BE(at)) as [
        number,
        number,
        number,
        number,
      ];
      const pixels = await read(w * h * 4);
      for (let row = 0; row < h; row++)
        for (let column = 0; column < w; column++) {
          const from = (row * w + column) * 4;
          const to = ((y + row) * width + x + column) * 3;
          for (let colour = 0; colour < 3; colour++) rgb[to + colour] = pixels[from + 2 - colour]!;
        }
    }
    return { name, width, height, rgb };
  } finally {
    end();
  }
}

/** A connection that is read in exact pieces. */
async function open(path: string) {
  const socket = connect(path);
  let buffered = Buffer.alloc(0);
  let failed: Error | undefined;
  let wake = () => {};
  const heard = () => new Promise<void>((resolve) => (wake = resolve));
  socket.on("data", (data: Buffer) => {
    buffered = Buffer.concat([buffered, data]);
    wake();
  });
  const fail = (error: Error) => {
    failed = error;
    wake();
  };
  socket.on("error", fail);
  socket.on("close", () => fail(new Error("the server hung up")));
  const timer = setTimeout(() => fail(new Error("the server is silent")), 10_000);
  return {
    async read(length: number): Promise<Buffer> {
      while (buffered.length < length) {
        if (failed !== undefined) throw failed;
        await heard();
      }
      const piece = buffered.subarray(0, length);
      buffered = buffered.subarray(length);
      return piece;
    },
    write: (bytes: Buffer) => socket.write(bytes),
    end() {
      clearTimeout(timer);
      socket.destroy();
    },
  };
}
