/**
 * One call to a container runtime as the kubelet makes it, by CRI over gRPC: `cri.ts SERVICE/METHOD`, the request as JSON on stdin, the
 * answer as JSON on stdout, an error's words on stderr. Of CRI's messages (cri-api, runtime/v1/api.proto) only what the case
 * `cri` needs stands here; CRI is proto3, which on the wire of these is the same.
 */
import http2 from "node:http2";
import net from "node:net";
import { message, optional, repeated } from "../../src/image/schema.ts";
import { decode, encode } from "../../src/image/wire.ts";

const namespaces = message("NamespaceOption", {
  network: optional(1, "enum"),
  pid: optional(2, "enum"),
});
const pod = message("PodSandboxConfig", {
  metadata: optional(
    1,
    message("PodSandboxMetadata", {
      name: optional(1, "string"),
      uid: optional(2, "string"),
      namespace: optional(3, "string"),
    }),
  ),
  log_directory: optional(3, "string"),
  linux: optional(
    8,
    message("LinuxPodSandboxConfig", {
      security_context: optional(
        2,
        message("LinuxSandboxSecurityContext", { namespace_options: optional(1, namespaces) }),
      ),
    }),
  ),
});
const image = message("ImageSpec", { image: optional(1, "string") });
const container = message("ContainerConfig", {
  metadata: optional(1, message("ContainerMetadata", { name: optional(1, "string") })),
  image: optional(2, image),
  command: repeated(3, "string"),
  mounts: repeated(
    7,
    message("Mount", { container_path: optional(1, "string"), host_path: optional(2, "string") }),
  ),
  log_path: optional(11, "string"),
  tty: optional(14, "bool"),
  linux: optional(
    15,
    message("LinuxContainerConfig", {
      security_context: optional(
        2,
        message("LinuxContainerSecurityContext", {
          capabilities: optional(
            1,
            message("Capability", { add_capabilities: repeated(1, "string") }),
          ),
          namespace_options: optional(3, namespaces),
        }),
      ),
    }),
  ),
});
const nothing = message("Nothing", {});
const podId = message("PodId", { pod_sandbox_id: optional(1, "string") });
const containerId = message("ContainerId", { container_id: optional(1, "string") });

/** The methods, what they are asked, and what they answer. */
const methods = {
  "ImageService/PullImage": [message("Pull", { image: optional(1, image) }), nothing],
  "RuntimeService/RunPodSandbox": [
    message("Run", { config: optional(1, pod), runtime_handler: optional(2, "string") }),
    podId,
  ],
  "RuntimeService/StopPodSandbox": [podId, nothing],
  "RuntimeService/RemovePodSandbox": [podId, nothing],
  "RuntimeService/CreateContainer": [
    message("Create", {
      pod_sandbox_id: optional(1, "string"),
      config: optional(2, container),
      sandbox_config: optional(3, pod),
    }),
    containerId,
  ],
  "RuntimeService/StartContainer": [containerId, nothing],
  "RuntimeService/CheckpointContainer": [
    message("Checkpoint", { container_id: optional(1, "string"), location: optional(2, "string") }),
    nothing,
  ],
} as const;

const [method] = process.argv.slice(2);
if (method === undefined || !(method in methods)) throw new Error("name a method");
const [asked, answered] = methods[method as keyof typeof methods];
const socket = "/run/containerd/containerd.sock";
const session = http2.connect("http://localhost", { createConnection: () => net.connect(socket) });
const stream = session.request({
  ":method": "POST",
  ":path": `/runtime.v1.${method}`,
  "content-type": "application/grpc",
  te: "trailers",
});
const request = encode(asked as any, await Bun.stdin.json());
const frame = Buffer.alloc(5 + request.length); // not compressed; the length; the message
frame.writeUInt32BE(request.length, 1);
frame.set(request, 5);
stream.end(frame);

// The status stands in the trailers, or in the headers where no message follows.
let status: http2.IncomingHttpHeaders = {};
const parts: Buffer[] = [];
stream.on("response", (headers) => (status = headers));
stream.on("trailers", (trailers) => (status = trailers));
stream.on("data", (part: Buffer) => parts.push(part));
await new Promise((ended, failed) => {
  stream.on("end", ended);
  stream.on("error", failed);
  session.on("error", failed);
});
session.close();
if (status["grpc-status"] !== "0") {
  console.error(decodeURIComponent(String(status["grpc-message"])));
  process.exit(1);
}
const answer = decode(answered as any, Buffer.concat(parts).subarray(5) as any);
if (!answer.ok) throw new Error(`${method}: ${answer.problem}`);
console.log(JSON.stringify(answer.value));
