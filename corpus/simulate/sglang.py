"""Makes recordings of SGLang's metrics: the metric classes of a released wheel, driven by a simulated server.

Names, labels, buckets and refresh rules are thus the release's own; load and timing are invented: a batch scheduler
over a pool of KV tokens that stops decoding for prefill and retracts requests when the pool is full.

    pip download --no-deps sglang==0.5.23 && unzip -d wheel sglang-*.whl
    pip install prometheus_client msgspec
    python make.py wheel SCENARIO > recording.om
"""
import importlib.util
import pathlib
import random
import sys
import types
from unittest import mock

# What a scenario does not say is as in HEALTHY.
HEALTHY = dict(
    cap=256,  # requests that run at once
    pool=400_000,  # KV tokens
    clients=24,  # each has one request at a time
    prompt=800, shared=0.6, answer=200,  # tokens; the part of a prompt that is cached
    chunk=8192,  # prompt tokens in one step
    eager=0.0,  # share of decode steps without a graph
    launch=0.0,  # seconds a step takes longer for it
    reserve=0.0,  # part of an answer's limit that admission keeps free
    limit=200,  # tokens that a client allows for an answer
)
SCENARIOS = {
    "healthy": {},
    "cap": dict(cap=8, clients=64),
    "kv": dict(pool=30_000, clients=64, shared=0.0, answer=900, limit=900),
    "reserve": dict(pool=60_000, clients=64, answer=150, limit=4000, reserve=1.0),
    "chunk": dict(chunk=64, clients=48, prompt=2000, shared=0.0),
}


class Nothing(types.SimpleNamespace):
    """An object whose every unknown attribute is None."""

    def __getattr__(self, name):
        return None


def load(wheel):
    """The module of the metric classes, with everything else of SGLang replaced."""
    root = pathlib.Path(wheel) / "sglang" / "srt"
    new = root / "observability" / "metrics_collector.py"
    real = {
        "sglang.srt.observability.utils": root / "observability" / "utils.py",
        "sglang.srt.observability.scheduler_stage_metrics": root / "observability" / "scheduler_stage_metrics.py",
        "sglang.srt.utils.gauge_histogram": root / "utils" / "gauge_histogram.py",
    }
    for name in ("sglang", "sglang.srt", "sglang.srt.disaggregation", "sglang.srt.model_executor", "sglang.srt.observability",
                 "sglang.srt.disaggregation.utils", "sglang.srt.model_executor.forward_batch_info", "sglang.srt.runtime_context",
                 "sglang.srt.server_args", "sglang.srt.utils", "sglang.srt.utils.nvtx_utils", "sglang.srt.environ"):
        sys.modules[name] = mock.MagicMock(name=name)
    context = sys.modules["sglang.srt.runtime_context"]
    for getter in ("get_disagg", "get_observability", "get_parallel", "get_schedule", "get_serving"):
        setattr(context, getter, lambda: Nothing(prefill_delayer_max_delay_passes=30))
    context.exports_expert_balancedness_to_prometheus = lambda: False
    context.get_context.return_value.is_config_namespace_published.return_value = False
    sys.modules["sglang.srt.utils"].get_bool_env_var = lambda *_: False
    for name, path in real.items():
        if path.exists():
            run(name, path)
    return run("collector", new if new.exists() else root / "metrics" / "collector.py"), new.exists()


def run(name, path):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


class Metrics:
    """What the scheduler and the tokenizer manager tell their collectors, in the old and the new form."""

    def __init__(self, wheel):
        module, self.new = load(wheel)
        self.module = module
        own = {"model_name": "qwen", "engine_type": "unified", "tp_rank": 0, "pp_rank": 0, "moe_ep_rank": 0}
        if self.new:
            self.scheduler = module.SchedulerMetricsCollector(labels=own, server_args=Nothing())
            self.labels = {"model_name": "qwen", "engine_type": "unified"}
            self.tokenizer = module.TokenizerMetricsCollector(server_args=Nothing(), labels=self.labels)
        else:
            self.labels = {"model_name": "qwen"}
            self.scheduler = module.SchedulerMetricsCollector({"model_name": "qwen"})
            self.tokenizer = module.TokenizerMetricsCollector({"model_name": "qwen"})

    def begin(self, pool):
        if self.new:
            self.scheduler.emit_constants(pool, None, 15.0, 20.0, {}, None, 1, pool, 32768, 60.0)

    def gauges(self, running, waiting, used, pool, speed, hits):
        s = self.module.SchedulerStats()
        s.num_running_reqs, s.num_queue_reqs = running, waiting
        if self.new:
            s.num_running_reqs, s.num_queue_reqs = self.module.QueueCount(running), self.module.QueueCount(waiting)
            s.full_token_usage, s.kv_used_tokens, s.kv_available_tokens = used / pool, used, pool - used
        s.num_used_tokens, s.token_usage, s.gen_throughput, s.cache_hit_rate = used, round(used / pool, 2), speed, hits
        self.scheduler.log_stats(s)

    def prefill(self, computed, cached):
        if self.new:
            self.scheduler.increment_prefill_cuda_graph_pass(False)
            self.scheduler.increment_realtime_tokens(None, prefill_compute_tokens=computed, prefill_cache_tokens=cached)
            self.scheduler.increment_effective_prefill_tokens(computed, cached, 0, 0)

    def polled(self, seconds):
        if self.new:  # the scheduler polls for work, so that it is busy all the time
            self.scheduler.increment_scheduler_process_cpu_seconds(0.95 * seconds)

    def decode(self, tokens, graph):
        if self.new:
            self.scheduler.increment_realtime_tokens(None, decode_tokens=tokens)
            self.scheduler.increment_decode_cuda_graph_pass(graph)

    def retracted(self, requests, tokens):
        if self.new:
            self.scheduler.increment_retracted_reqs(requests, tokens, 0)

    def queued(self, seconds):
        if self.new:
            self.scheduler.observe_queue_time(seconds)

    def first_token(self, seconds):
        if self.new:
            self.tokenizer.observe_time_to_first_token(self.labels, seconds, stream=True)
        else:
            self.tokenizer.observe_time_to_first_token(seconds)

    def next_token(self, seconds):
        if self.new:
            self.tokenizer.observe_inter_token_latency(self.labels, seconds, 1)
        else:
            self.tokenizer.observe_inter_token_latency(seconds, 1)

    def finished(self, prompt, answer, cached, seconds, decoding):
        if self.new:
            self.tokenizer.observe_one_finished_request(self.labels, prompt, answer, cached, seconds, False, is_streaming=True,
                                                        time_per_output_token=decoding / max(answer - 1, 1))
        else:
            self.tokenizer.observe_one_finished_request(prompt, answer, cached, seconds)


class Request:
    def __init__(self, now, rng, of):
        self.arrived, self.prompt = now, max(16, int(rng.gauss(of["prompt"], of["prompt"] / 5)))
        self.answer = max(8, min(int(rng.expovariate(1 / of["answer"])), of["limit"]))
        self.cached = int(self.prompt * of["shared"])
        self.left = self.prompt - self.cached  # to be computed
        self.made, self.first, self.last = 0, None, None


def simulate(metrics, of, seconds, scrape):
    """Runs the scheduler and calls scrape every 15 s of its time. Each client has one request at a time."""
    rng, now, due, steps = random.Random(7), 0.0, 0.0, 0
    metrics.begin(of["pool"])
    waiting, running = [Request(0, rng, of) for _ in range(of["clients"])], []

    def used():
        return sum(r.prompt + r.made for r in running)

    def kept():
        return of["reserve"] * sum(max(of["limit"] - r.made, 0) for r in running)

    def report(speed, hits):
        metrics.gauges(len(running), len(waiting), min(used(), of["pool"]), of["pool"], speed, hits)

    half = None  # whose prompt did not fit into one step
    counted = 0.0
    while now < seconds:
        while now >= due:
            metrics.polled(now - counted)
            counted = now
            scrape(due)
            due += 15
        batch, room = [], of["chunk"]
        while room > 0 and (half or waiting and len(running) + len(batch) < of["cap"]):
            r = half or waiting[0]
            if not half and used() + kept() + sum(b.prompt for b in batch) + r.prompt + of["reserve"] * of["limit"] > 0.97 * of["pool"]:
                break
            if not half:
                waiting.pop(0)
                metrics.queued(now - r.arrived)
            part = min(r.left, room)
            r.left, room, half = r.left - part, room - part, None
            if r.left > 0:
                half = r
                break
            batch.append(r)
        if room < of["chunk"]:  # decoding stands still for it
            computed, cached = of["chunk"] - room, sum(r.cached for r in batch)
            now += 0.01 + computed / 25_000
            running += batch
            metrics.prefill(computed, cached)
            report(0, cached / (computed + cached))
            for r in batch:
                if r.first is None:
                    metrics.first_token(now - r.arrived)
                    r.first = now
                r.last, r.made = now, r.made + 1
            if not running or rng.random() < 0.5:
                continue
        if not running:
            now += 0.005
            continue
        step = 0.012 + 0.0002 * len(running) + of["launch"]
        now += step
        steps += 1
        if used() + len(running) > of["pool"]:  # the youngest go back to the queue
            out = [running.pop() for _ in range(max(1, len(running) // 10))]
            metrics.retracted(len(out), sum(r.prompt for r in out))
            for r in out:
                r.left = r.prompt - r.cached
            waiting = out + waiting
        for r in list(running):
            metrics.next_token(now - r.last)
            r.last, r.made = now, r.made + 1
            if r.made >= r.answer:
                running.remove(r)
                metrics.finished(r.prompt, r.made, r.cached, now - r.arrived, now - r.first)
                waiting.append(Request(now, rng, of))
        metrics.decode(len(running), rng.random() >= of["eager"])
        if steps % 40 == 0:
            report(len(running) / step, 0)


def main(wheel, scenario):
    metrics, series = Metrics(wheel), {}

    def scrape(at):
        from prometheus_client import REGISTRY
        for family in REGISTRY.collect():
            for s in family.samples:
                if not s.name.startswith("sglang:") or s.name.endswith("_created"):
                    continue
                labels = "".join(f',{k}="{v}"' for k, v in sorted(s.labels.items()))
                key = f'{s.name}{{job="sglang",instance="h100-0:30000"{labels}}}'
                series.setdefault((family.name, family.type), {}).setdefault(key, []).append((at, s.value))

    simulate(metrics, HEALTHY | SCENARIOS[scenario], 421, scrape)
    for (name, kind), lines in series.items():
        print(f"# TYPE {name} {kind}")
        for key, points in lines.items():
            for at, v in points:
                print(f"{key} {v} {1_795_500_000 + at}")
    print("# EOF")


if __name__ == "__main__":
    main(*sys.argv[1:])
