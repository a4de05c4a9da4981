"""Speed, size and start of the product, as one report: `python -m eval.bench XQUAD_FOLDER`.

Times mean little by themselves: every comparison is a ratio within one run, to the plain llama-index recipe for
indexing and to the time of one query embedding for answering.

    machine.py    what ran it
    processes.py  each measurement in a process of its own, with its time and peak memory
    texts.py      the passages and questions
    indexing.py   indexing end to end; recipes.py holds what it is compared with
    tokens.py     the size of the passages
    corpora.py    corpora of 100 to 100,000 chunks
    answering.py  the time of each stage of an answer, and recall against exact search; stages.py is the clock
    starts.py     from a command to its first answer
    markdown.py   the report for people

A command of its own: foreign_texts.py, seconds by kind and length of what strangers may upload.
"""
