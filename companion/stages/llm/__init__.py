"""Language models: any chat model of LangChain, and models that run in this process.

They do not know who asks, or what becomes of their words. Start with `companion.stages.llm.chat_model`; the embedded
model is `companion.stages.llm.embedded`.
"""
