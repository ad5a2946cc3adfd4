/** What engines write beside the images. The forms are those of Podman 4.3, CRI-O 1.29 and containerd 2.0. */
import { expect, test } from "bun:test";
import { containerOf } from "../../src/show/container.ts";

const texts = (config: object, annotations: object, more: object = {}) =>
  new Map(
    Object.entries({
      "config.dump": config,
      "spec.dump": {
        annotations,
        mounts: [{ destination: "/proc", type: "proc", source: "proc" }],
      },
      ...more,
    }).map(([name, value]) => [name, JSON.stringify(value)]),
  );

test("Podman, with its networks", () => {
  const config = {
    id: "b4e0",
    name: "shop",
    rootfsImageName: "docker.io/library/nginx:1",
    runtime: "crun",
    createdTime: "2026-01-01T00:00:00Z",
    staticDir: "/var/lib/containers",
  };
  const network = {
    podman: {
      interfaces: { eth0: { subnets: [{ ipnet: "10.88.0.3/16" }], mac_address: "aa:bb" } },
    },
  };
  const status = { "network.status": network };
  expect(containerOf(texts(config, { "io.container.manager": "libpod" }, status), 12)).toEqual({
    engine: "Podman",
    name: "shop",
    id: "b4e0",
    image: "docker.io/library/nginx:1",
    runtime: "crun",
    created: "2026-01-01T00:00:00Z",
    checkpointed: null,
    namespace: null,
    pod: null,
    addresses: ["10.88.0.3/16"],
    macs: ["aa:bb"],
    changed: 12,
    mounts: [{ destination: "/proc", type: "proc", source: "proc" }],
    annotations: { "io.container.manager": "libpod" },
  });
});

test("CRI-O and containerd, with pod and namespace", () => {
  const crio = {
    "io.container.manager": "cri-o",
    "io.kubernetes.cri-o.Metadata": JSON.stringify({ name: "web" }),
    "io.kubernetes.cri-o.IP.0": "10.85.0.4",
    "io.kubernetes.pod.namespace": "prod",
    "io.kubernetes.pod.name": "web-0",
  };
  expect(containerOf(texts({ id: "1" }, crio), undefined)).toMatchObject({
    engine: "CRI-O",
    name: "web",
    namespace: "prod",
    pod: "web-0",
    addresses: ["10.85.0.4"],
    changed: null,
  });
  const containerd = {
    "io.kubernetes.cri.container-name": "db",
    "io.kubernetes.cri.sandbox-namespace": "prod",
    "io.kubernetes.cri.sandbox-name": "db-0",
  };
  expect(containerOf(texts({}, containerd), undefined)).toMatchObject({
    engine: "containerd",
    name: "db",
    pod: "db-0",
  });
});

test("what is forged is as if it were not there", () => {
  const config = { id: 7, name: ["x"], rootfsImageName: null, createdTime: {} };
  const forged = texts(
    config,
    { "io.kubernetes.cri-o.Metadata": "{", a: 1 },
    { "network.status": [{ interfaces: 3 }] },
  );
  expect(containerOf(forged, undefined)).toMatchObject({
    name: null,
    id: null,
    image: null,
    addresses: [],
    annotations: { "io.kubernetes.cri-o.Metadata": "{" },
  });
  expect(containerOf(new Map([["spec.dump", "null"]]), undefined)).toMatchObject({
    engine: null,
    mounts: [],
  });
  expect(containerOf(new Map(), undefined)).toBeNull();
});
