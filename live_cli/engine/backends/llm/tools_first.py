"""A prefix that adds tools to chat templates without them.

The prefix rewrites the messages into such as every template knows: the declarations go into the
system message, calls into the assistant's text between ``<tool_call>`` tags, the results of one
reply into one text of the user, for some templates refuse two in a row.
llama.cpp finds out from a template how its model writes calls, reads them back and, once one has
begun, keeps it to the declared parameters. Without tools, messages pass as they are.
"""

TOOLS_FIRST = """\
{%- macro text_of(content) -%}
{%- if content is string -%}{{- content -}}
{%- elif content -%}{%- for part in content -%}{{- part.text -}}{%- endfor -%}{%- endif -%}
{%- endmacro -%}
{%- set seen = namespace(messages=[], system='', typed=false) -%}
{%- for message in messages -%}
{%- if message.content and message.content is not string -%}
{%- set seen.typed = true -%}
{%- endif -%}
{%- endfor -%}
{%- for message in messages -%}
{%- if message.role == 'system' and tools -%}
{%- set seen.system = seen.system + text_of(message.content) + '\\n\\n' -%}
{%- elif message.role == 'tool' -%}
{%- set text = '<tool_response>\\n' + text_of(message.content) + '\\n</tool_response>' -%}
{%- set content = [{'type': 'text', 'text': text}] if seen.typed else text -%}
{%- if seen.messages and seen.messages[-1].role == 'user' -%}
{%- set before = seen.messages[-1].content -%}
{%- set between = [{'type': 'text', 'text': '\\n'}] if seen.typed else '\\n' -%}
{%- set content = before + between + content -%}
{%- set seen.messages = seen.messages[:-1] -%}
{%- endif -%}
{%- set seen.messages = seen.messages + [{'role': 'user', 'content': content}] -%}
{%- elif message.tool_calls -%}
{%- set calls = namespace(text=text_of(message.content)) -%}
{%- for call in message.tool_calls -%}
{%- set arguments = call.function.arguments -%}
{%- set written = arguments if arguments is string else arguments | tojson -%}
{%- set head = '\\n<tool_call>\\n{"name": "' + call.function.name + '", "arguments": ' -%}
{%- set calls.text = calls.text + head + written + '}\\n</tool_call>' -%}
{%- endfor -%}
{%- set content = [{'type': 'text', 'text': calls.text}] if seen.typed else calls.text -%}
{%- set seen.messages = seen.messages + [{'role': 'assistant', 'content': content}] -%}
{%- else -%}
{%- set seen.messages = seen.messages + [message] -%}
{%- endif -%}
{%- endfor -%}
{%- if tools -%}
{%- set seen.system = seen.system + 'You can call these functions:\\n<tools>\\n' -%}
{%- for tool in tools -%}
{%- set seen.system = seen.system + (tool.function | tojson) + '\\n' -%}
{%- endfor -%}
{%- set seen.system = seen.system + '</tools>\\nTo call a function, answer with its name and its \
arguments and nothing else:\\n<tool_call>\\n{"name": "the function", "arguments": {}}\\n\
</tool_call>' -%}
{%- set content = [{'type': 'text', 'text': seen.system}] if seen.typed else seen.system -%}
{%- set seen.messages = [{'role': 'system', 'content': content}] + seen.messages -%}
{%- endif -%}
{%- set messages = seen.messages -%}
"""
