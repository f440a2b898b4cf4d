"""The chat template that a model in this process is loaded with: the file's own, and what we add.

Added are tools, where the template knows none (`tools_first`), and a place for the salt: a text at
the very beginning of the prompt, told apart by whose the request is. llama.cpp reads as much of a
prompt from its caches as is the same from the first token on, so that a request that was quick to
begin would tell that somebody has asked the same before. Behind different salts nothing is the
same. vLLM salts the keys of its cache instead (``cache_salt``); llama.cpp has no such field.
"""

import hashlib
import re

from live_cli.engine.backends.llm.tools_first import TOOLS_FIRST

_CHATML = """\
{%- for message in messages -%}
{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}
"""
"""For a file without a template, as in llama.cpp."""
_SALT = "prompt_salt"
_SALT_FIRST = "{{- prompt_salt }}"
_SALT_AFTER_BOS = """\
{%- if prompt_salt -%}{{- bos_token + prompt_salt }}{%- set bos_token = '' -%}{%- endif %}"""
"""For a template that writes the token which begins a text: that one stays the first."""
_SALT_DIGITS = 12
"""Hexadecimal digits, 48 bits: nobody finds two principals that share a salt, nor chooses one.
They are some 13 tokens; SmolLM2 answers as many questions right behind them as without."""


def template_with_additions(own: str, own_for_tools: str) -> str:
    """Return the template to load a model with.

    ``own``: the file's, "" for none. ``own_for_tools``: the one for requests with tools, or "".
    """
    template = own or _CHATML
    if own_for_tools:
        template = f"{{%- if tools -%}}{own_for_tools}{{%- else -%}}{template}{{%- endif -%}}"
    if not (re.search(r"\btools\b", template) and "tool_calls" in template):
        template = TOOLS_FIRST + template
    if "bos_token" in template:
        return _SALT_AFTER_BOS + template
    return _SALT_FIRST + template


def salt_arguments(salt: str) -> dict[str, str]:
    """Return the arguments of the template that put ``salt`` first; none for an empty one."""
    if not salt:
        return {}
    digest = hashlib.sha256(salt.encode(errors="surrogatepass")).hexdigest()
    return {_SALT: digest[:_SALT_DIGITS] + "\n"}
