"""The figures that staff decide by: facts asked of the database, figures made of them, pictures drawn of those.

``queries`` asks, ``summary`` calculates and touches nothing, ``charts`` draws. The page is in
:mod:`voice.statistics_admin`.
"""
