"""The proof that retrieval costs the visitor no time: spoken turns, measured with prefetching and without it.

Theory of operation. Each turn is a real :class:`~voice.session.Session` of its own, so that none inherits anything from
another. A question is asked in it, the answer begins to sound, and the visitor hangs up; the facts of the turn, which
any session tells its records, are what is measured. The same question is asked with prefetching and then sequentially,
question after question in one run, so that whatever drifts (a network, a cache, a machine) drifts for both.

What a session stands between can be the site's own or a stand-in with a given latency: the upstream
(:mod:`voice.probe.upstream`) and the knowledge (:mod:`voice.probe.knowledge`). With both, the figures can be had on
any machine and are the same on each.
"""
