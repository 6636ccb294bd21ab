"""Language models: any chat model of LangChain, and models that run in this process.

They know nothing of sessions, personas, or what becomes of a reply. Start with `companion.stages.llm.chat_model`; the
embedded model is `companion.stages.llm.embedded`.
"""
