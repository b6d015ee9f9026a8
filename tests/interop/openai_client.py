"""The Python package `openai`, unmodified, against `cdvm ask --serve`.

usage: openai_client.py waiting|ready|refused BASE_URL TOKENFILE     prints "ok NAME" or "not ok NAME" lines
waiting: the guest is not there yet. ready: a chat that has documents. refused: its evidence did not hold."""
import asyncio
import sys
import time
import traceback

import openai
from openai import AsyncOpenAI, OpenAI

mode, url, token_file = sys.argv[1:]
key = open(token_file).read().strip()
QUESTION = "How much is the rent of the flat?"


def client(**more):
    return OpenAI(**{"base_url": url, "api_key": key, "max_retries": 0, "timeout": 900, **more})


def ask(c, text=QUESTION, **more):
    messages = text if isinstance(text, list) else [{"role": "user", "content": text}]
    return c.chat.completions.create(model="cdvm", messages=messages, **more)


def raised(kind, call, *words):
    try:
        call()
    except kind as e:
        assert all(w in f"{e} {e.body}" for w in words), (e, e.body)
        return e
    raise AssertionError(f"no {kind.__name__}")


def it_waits():
    e = raised(openai.InternalServerError, lambda: client().models.list(), "not-ready")
    assert e.status_code == 503
    raised(openai.InternalServerError, lambda: ask(client()), "not-ready")


def the_reason_is_given():
    e = raised(openai.InternalServerError, lambda: ask(client()), "snp.chain.root", "not AMD's")
    assert e.status_code == 503
    e = raised(openai.InternalServerError, lambda: ask(client(), stream=True), "snp.chain.root")
    assert e.status_code == 503


def the_model_is_listed():
    models = client().models.list().data
    assert len(models) == 1 and models[0].id, models
    print(f"# model {models[0].id}, owned by {models[0].owned_by}")


def a_whole_answer():
    began = time.monotonic()
    raw = client().chat.completions.with_raw_response.create(
        model="cdvm", messages=[{"role": "user", "content": QUESTION}], temperature=0.2, max_tokens=64)
    answer = raw.parse()
    took = time.monotonic() - began
    choice, usage = answer.choices[0], answer.usage
    print(f"# {choice.message.content!r}")
    print(f"# whole: {usage.prompt_tokens} + {usage.completion_tokens} tokens in {took:.1f} s, {choice.finish_reason}")
    assert choice.message.role == "assistant" and choice.message.content
    assert choice.finish_reason in ("stop", "length")
    assert usage.prompt_tokens > 10 and usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
    assert len(raw.headers["cdvm-guest"]) == 64 and raw.headers["cdvm-verdict"] == "SIMULATED PASS"
    assert raw.headers["cdvm-ignored"] in ("temperature, max_tokens", "max_tokens, temperature"), raw.headers
    assert answer.model_extra["cdvm"]["sources"][0]["doc"] == "lease.md", answer.model_extra


def a_streamed_answer():
    began = time.monotonic()
    first, pieces, usage, finish = None, [], None, None
    for chunk in ask(client(), stream=True, stream_options={"include_usage": True}):
        if chunk.usage:
            usage = chunk.usage
        for choice in chunk.choices:
            if choice.delta.content:
                first = first or time.monotonic() - began
                pieces.append(choice.delta.content)
            finish = choice.finish_reason or finish
    took = time.monotonic() - began
    print(f"# {''.join(pieces)!r}")
    print(f"# streamed: {len(pieces)} pieces, the first after {first:.1f} s, all after {took:.1f} s, {usage.completion_tokens} tokens")
    assert len(pieces) >= 3 and took > first and finish in ("stop", "length") and usage.completion_tokens > 3


def two_at_once_one_of_them_a_conversation():
    messages = ([{"role": "user", "content": "Say one."}],
                [{"role": "system", "content": "Answer with one word."}, {"role": "user", "content": "Say red."},
                 {"role": "assistant", "content": "red"}, {"role": "user", "content": "Say blue."}])

    async def both():
        async with AsyncOpenAI(base_url=url, api_key=key, max_retries=0, timeout=900) as c:
            return await asyncio.gather(*(c.chat.completions.create(model="cdvm", messages=m) for m in messages))

    a, b = asyncio.run(both())
    assert a.choices[0].message.content and b.choices[0].message.content and a.id != b.id


def a_stream_that_is_left_frees_the_guest():
    with ask(client(), stream=True) as stream:
        for _ in stream:
            break


def what_is_refused():
    raised(openai.AuthenticationError, lambda: client(api_key="sk-wrong").models.list())
    raised(openai.PermissionDeniedError, lambda: client(default_headers={"Origin": "http://evil.example"}).models.list())
    raised(openai.NotFoundError, lambda: client().chat.completions.create(
        model="gpt-4o", messages=[{"role": "user", "content": "x"}]), "model_not_found")
    raised(openai.BadRequestError, lambda: ask(client(), n=2), "'n'")
    raised(openai.BadRequestError, lambda: ask(client(), tools=[{"type": "function", "function": {"name": "f"}}]), "tools")
    raised(openai.BadRequestError, lambda: ask(client(), "x" * 30000), "too-large")
    raised(openai.NotFoundError, lambda: client().embeddings.create(model="cdvm", input="x"))


TESTS = {"waiting": (it_waits,), "refused": (the_reason_is_given,),
         "ready": (the_model_is_listed, a_whole_answer, a_streamed_answer, a_stream_that_is_left_frees_the_guest,
                   two_at_once_one_of_them_a_conversation, what_is_refused)}
for test in TESTS[mode]:
    name = f"openai: {test.__name__.replace('_', ' ')}"
    try:
        test()
        print("ok", name, flush=True)
    except Exception:
        print("not ok", name, flush=True)
        print("".join("# " + line + "\n" for line in traceback.format_exc().splitlines()[-6:]), end="", flush=True)
