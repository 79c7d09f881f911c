"""Resolver Pods: what they are mounted, when they see changes, how they restart."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import dns.message
import dns.rcode
import pytest

from sandbox.clock import Clock
from sandbox.cluster.kubelet import Kubelet
from sandbox.cluster.mounts import Mount, MountError, mounts
from sandbox.cluster.network import ServiceNetwork
from sandbox.cluster.resolver_pod import coredns_container, corefile_path
from sandbox.dns import ask_through, reply


if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.dns.wire import Message

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: dns, namespace: net, generation: 1}
spec:
  template:
    metadata: {labels: {app: dns}}
    spec:
      containers:
      - name: coredns
        image: coredns/coredns:1.14.6
        args: [-conf, /etc/coredns/Corefile]
        ports: [{containerPort: 53, name: dns-tcp, protocol: TCP}]
        volumeMounts: [{name: config, mountPath: /etc/coredns}]
      volumes: [{name: config, configMap: {name: dns}}]
---
apiVersion: v1
kind: Service
metadata: {name: resolver, namespace: net}
spec:
  selector: {app: dns}
  ports:
  - {name: dns, port: 53, protocol: UDP}
  - {name: dns-tcp, port: 53, protocol: TCP, targetPort: dns-tcp}
  - {name: metrics, port: 9153}
"""
COREFILE = """home.example:53 {
    reload 2s 1s
    template IN A {
        answer "{{ .Name }} 60 IN A %s"
    }
    forward . 1.1.1.1
}
"""
NAME = ("net", "dns")


class FastClock(Clock):
    """Remembers the delays it was asked for and hardly waits."""

    def __init__(self) -> None:
        super().__init__(speed=1000.0)
        object.__setattr__(self, "slept", [])

    async def sleep(self, seconds: float) -> None:
        """Note the delay, and wait for a thousandth of it."""
        self.slept.append(seconds)  # type: ignore[attr-defined]  # set above, past the freeze
        await super().sleep(seconds)


@dataclass
class World:
    """A kubelet in a cluster with one resolver."""

    api: Any
    clock: Any = field(default_factory=FastClock)

    def __post_init__(self) -> None:
        self.network = ServiceNetwork(self.nobody)
        self.kubelet = Kubelet(self.api, self.network, self.clock, self.upstream)

    @staticmethod
    async def nobody(service: str) -> Any:
        """Play a Service without Pods."""
        raise ConnectionRefusedError(service)

    @staticmethod
    async def upstream(query: Message, host: str, _: int) -> Message:
        """Play the internet: every name exists, with no data."""
        assert host == "1.1.1.1"
        return reply(query)

    def configure(self, address: str, *, corefile: str = "") -> None:
        """Write the resolver's ConfigMap."""
        text = corefile or COREFILE % address
        meta = {"name": "dns", "namespace": "net"}
        thing = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta}
        self.api.apply({**thing, "data": {"Corefile": text}}, "test")

    def restart(self, stamp: str) -> None:
        """Do what `kubectl rollout restart` does."""
        old = self.api.get("Deployment", *NAME)
        template = old["spec"]["template"]
        annotated = {**template["metadata"], "annotations": {"restartedAt": stamp}}
        spec = {**old["spec"], "template": {**template, "metadata": annotated}}
        self.api.apply({**old, "spec": spec}, "test")

    async def ask(self) -> str:
        """Return the address that the resolver gives; raise OSError if nobody answers."""
        query = dns.message.make_query("a.home.example", "A")

        async def dial(_: str, port: int) -> Any:
            return await self.network.connect("net", "resolver", port)

        async with asyncio.timeout(1):
            answer = await ask_through(dial, query, "", 53)
        assert answer.rcode() == dns.rcode.NOERROR
        return str(answer.answer[0][0])

    async def until_true(self, true: Callable[[], object]) -> None:
        """Wait for what must come."""
        for _ in range(3000):
            if true():
                return
            await asyncio.sleep(0.001)
        raise AssertionError("it did not come to pass")

    async def until(self, address: str) -> None:
        """Wait until the resolver gives this address, or refuses if it is empty."""
        for _ in range(3000):
            try:
                found = await self.ask()
            except OSError:
                found = ""
            if found == address:
                return
            await asyncio.sleep(0.001)
        raise AssertionError(f"it still answers {found}, not {address}")

    def pods(self) -> list[str]:
        """Return the names of the Pod objects."""
        return [pod["metadata"]["name"] for pod in self.api.list("Pod", "net")]


@pytest.fixture
def running(
    api: Any, load: Callable[[str], None], play: Any
) -> Callable[[Callable[[World], Any]], None]:
    """Run a story in a cluster with a resolver that has run for long."""

    def run(story: Callable[[World], Any]) -> None:
        async def whole() -> None:
            world = World(api)
            load(DEPLOYMENT)
            world.configure("100.64.0.1")
            await world.kubelet.reconcile()
            world.kubelet.start()
            try:
                await story(world)
            finally:
                await world.kubelet.stop()

        play(whole())

    return run


def test_a_resolver_answers_at_once_behind_its_service(running: Any) -> None:
    """TCP port 53 of the Service leads to the container port; others are shut."""

    async def story(world: World) -> None:
        assert await world.ask() == "100.64.0.1"
        with pytest.raises(ConnectionRefusedError):
            await world.network.connect("net", "resolver", 9153)
        with pytest.raises(ConnectionRefusedError):
            await world.network.connect("net", "resolver", 5353)
        status = world.api.get("Deployment", *NAME)["status"]
        assert (status["availableReplicas"], status["observedGeneration"]) == (1, 1)

    running(story)


def test_a_changed_config_map_takes_the_kubelets_delay_and_the_reload(running: Any) -> None:
    """60 to 90 s for the volume, then CoreDNS's own interval; nobody restarts anything."""

    async def story(world: World) -> None:
        pods = world.pods()
        world.configure("100.64.0.2")
        assert await world.ask() == "100.64.0.1"

        await world.until("100.64.0.2")

        assert [s for s in world.clock.slept if 60 <= s <= 90]
        assert world.pods() == pods

    running(story)


def test_a_container_has_a_resolv_conf(running: Any) -> None:
    """CoreDNS's own default forwards to it, and refuses to start where it is not there."""

    async def story(world: World) -> None:
        corefile = (COREFILE % "100.64.0.3").replace("1.1.1.1", "/etc/resolv.conf")
        world.configure("", corefile=corefile)
        world.restart("now")

        await world.until("100.64.0.3")

    running(story)


def test_a_rollout_reads_the_config_map_at_once(running: Any) -> None:
    """The new Pod mounts what is there; the old one serves until it is ready, then it is gone."""

    async def story(world: World) -> None:
        before = world.pods()
        world.configure("100.64.0.2")
        world.restart("now")

        await world.until("100.64.0.2")

        resolver = world.kubelet.resolvers[NAME]
        assert len(resolver.pods) == 1
        for _ in range(1000):
            status = world.api.get("Deployment", *NAME)["status"]
            if status["observedGeneration"] == 2 and status["replicas"] == 1:
                break
            await asyncio.sleep(0.001)
        assert status["updatedReplicas"] == status["availableReplicas"] == 1
        assert not set(before) & set(world.pods())

    running(story)


def test_a_broken_corefile_is_not_loaded_until_a_pod_restarts(running: Any) -> None:
    """The old configuration stays, a rollout never ends, and a lost Pod does not come back."""

    async def story(world: World) -> None:
        world.configure("", corefile="home.example:53 {\n    tempalte IN A\n}\n")
        world.restart("once")
        pod = None
        for _ in range(3000):
            pod = world.kubelet.resolvers[NAME].coming
            if pod and pod.restarts > 1:
                break
            await asyncio.sleep(0.001)
        assert pod
        assert pod.state == "CrashLoopBackOff"
        assert await world.ask() == "100.64.0.1"

        old = world.kubelet.resolvers[NAME].serving
        assert old
        world.api.delete("Pod", "net", old.name)
        await world.until("")

        world.configure("100.64.0.4")
        await world.until("100.64.0.4")

    running(story)


@pytest.mark.parametrize(
    ("probe", "lost"), [("livenessProbe", "health"), ("readinessProbe", "ready")]
)
def test_a_corefile_that_answers_no_probe_takes_the_resolver_down(
    running: Any, probe: str, lost: str
) -> None:
    """The kubelet asks on: not ready means no answer, not alive means one restart after another."""

    async def story(world: World) -> None:
        healthy = COREFILE.replace("reload", f"{lost}\n    reload", 1) % "100.64.0.1"
        world.configure("", corefile=healthy)
        old = world.api.get("Deployment", *NAME)
        template = old["spec"]["template"]
        asked = {probe: {"httpGet": {"path": f"/{lost}", "port": 1}, "periodSeconds": 1}}
        container = {**template["spec"]["containers"][0], **asked}
        spec = {**template["spec"], "containers": [container]}
        new = {**old["spec"], "template": {**template, "spec": spec}}
        world.api.apply({**old, "spec": new}, "test")
        resolver = world.kubelet.resolvers[NAME]
        await world.until_true(lambda: [p.template for p in resolver.pods] == [new["template"]])
        assert await world.ask() == "100.64.0.1"

        world.configure("100.64.0.2")

        await world.until("")
        if lost == "health":
            await world.until_true(lambda: resolver.pods[0].restarts > 1)
        world.configure("", corefile=healthy)
        await world.until("100.64.0.1")

    running(story)


def test_a_pod_waits_for_its_config_map(api: Any, load: Callable[[str], None], play: Any) -> None:
    """Without the ConfigMap there is no container; with it, all is well by itself."""

    async def story() -> None:
        world = World(api)
        load(DEPLOYMENT)
        await world.kubelet.reconcile()
        world.kubelet.start()
        try:
            await world.until("")
            assert api.get("Deployment", *NAME)["status"]["availableReplicas"] == 0
            world.configure("100.64.0.5")
            await world.until("100.64.0.5")
        finally:
            await world.kubelet.stop()

    play(story())


def test_no_replicas_no_answer(running: Any) -> None:
    """Scaled to nothing, deleted, and back again."""

    async def story(world: World) -> None:
        old = world.api.get("Deployment", *NAME)
        world.api.apply({**old, "spec": {**old["spec"], "replicas": 0}}, "test")
        await world.until("")
        world.api.apply({**old, "spec": {**old["spec"], "replicas": 2}}, "test")
        await world.until("100.64.0.1")

        world.api.delete("Deployment", *NAME)
        await world.until("")
        assert world.pods() == []

    running(story)


def test_other_deployments_are_said_to_run(
    api: Any, load: Callable[[str], None], play: Any
) -> None:
    """Whoever waits for a rollout of an application does not wait for ever."""
    load(
        "apiVersion: apps/v1\nkind: Deployment\n"
        "metadata: {name: web, namespace: x, generation: 4}\n"
        "spec: {replicas: 3, template: {metadata: {}, spec: {containers: [{image: nginx}]}}}\n"
    )

    play(World(api).kubelet.reconcile())

    status = api.get("Deployment", "x", "web")["status"]
    assert (status["readyReplicas"], status["observedGeneration"]) == (3, 4)
    assert api.list("Pod") == []


@pytest.mark.parametrize(
    ("container", "path"),
    [
        ({"args": ["-conf", "/etc/coredns/Corefile"]}, "/etc/coredns/Corefile"),
        ({"args": ["-conf=/a/b"]}, "/a/b"),
        ({"command": ["/coredns", "--conf", "/c"], "args": ["-quiet"]}, "/c"),
        ({}, "/Corefile"),
    ],
)
def test_the_corefiles_path_is_read_from_the_arguments(
    container: dict[str, Any], path: str
) -> None:
    """Both dashes, both ways to give a value, and CoreDNS's default."""
    assert corefile_path(container) == path


@pytest.mark.parametrize(
    ("image", "found"),
    [
        ("coredns/coredns:1.13.2", True),
        ("registry.k8s.io/coredns/coredns:v1.11.1", True),
        ("coredns", True),
        ("ghcr.io/me/coredns-extra:1", False),
        ("alpine", False),
    ],
)
def test_coredns_is_known_by_its_image(image: str, *, found: bool) -> None:
    """Whatever the registry; other images that only sound like it are not."""
    mount = {"name": "c", "mountPath": "/c"}
    spec = {
        "containers": [{"image": image, "volumeMounts": [mount]}],
        "volumes": [{"name": "c", "configMap": {"name": "c"}}],
    }
    assert (coredns_container(spec) is not None) is found


MAPS = {"a": {"data": {"x": "1", "y": "2"}, "binaryData": {"z": "Mw=="}}}


@pytest.mark.parametrize(
    ("mount", "files"),
    [
        (Mount("/e", "a"), {"/e/x": "1", "/e/y": "2", "/e/z": "3"}),
        (Mount("/e", "a", (("x", "sub/one"),)), {"/e/sub/one": "1"}),
        (Mount("/e/x", "a", sub_path="x"), {"/e/x": "1"}),
        (Mount("/e", "gone", optional=True), {}),
        (Mount("/e", "a", (("q", "q"),), optional=True), {}),
        (Mount("/e", "gone"), None),
        (Mount("/e", "a", (("q", "q"),)), None),
    ],
)
def test_mounts_hold_what_the_config_map_holds(mount: Mount, files: dict[str, str] | None) -> None:
    """Items, single files, optional ones; what is missing keeps the container from starting."""
    if files is None:
        with pytest.raises(MountError):
            mount.files(MAPS.get)
    else:
        assert mount.files(MAPS.get) == files


def test_projected_volumes_mount_config_maps_too() -> None:
    """The second way a ConfigMap comes into a Pod."""
    spec = {"volumes": [{"name": "v", "projected": {"sources": [
        {"configMap": {"name": "a", "items": [{"key": "k", "path": "p"}], "optional": True}},
        {"secret": {"name": "s"}}]}}]}  # fmt: skip
    container = {"volumeMounts": [{"name": "v", "mountPath": "/m/"}, {"name": "w"}]}

    with pytest.raises(KeyError):
        mounts(spec, {"volumeMounts": [{"name": "v"}]})
    assert mounts(spec, {"volumeMounts": container["volumeMounts"][:1]}) == [
        Mount("/m", "a", (("k", "p"),), optional=True)
    ]
