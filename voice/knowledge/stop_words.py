"""Words that any question could contain, without accents (as ``words.folded`` leaves them)."""

from __future__ import annotations

from typing import Final

_ENGLISH = """
    a about after again all also am an and any anybody anyone anything are as ask at be because been
    before being but by can could d did do does doing don done else every for from get give go going
    gonna good got had has have having he hello help her here hey hi him his how i if im in into is it
    its just know let like ll look m make many may maybe me might mine more most much must my need no
    not now of off ok okay on one or our out over please put re really s say see shall she should show
    so some somebody someone something still such t take tell than thank thanks that the their them then
    there these they thing things this those though through to too uh um up us use ve very want wanted
    was way we well were what when where whether which while who whom whose why will with wonder
    wondering would yeah yes you your yours
"""
_FRENCH = """
    a afin ai aide aider aimerais ainsi alors apres as au aucun aussi autre autres aux avant avec avez
    avoir avons besoin bien bonjour bonsoir c ca car ce ceci cela celle celui cependant ces cet cette
    chaque chez ci combien comme comment d dans de deja depuis des deux dire dis dites dois doit doivent
    donc dont du elle elles en encore entre es est et etait ete etes etre eu euh eux faire fais fait
    faites faut font hein ici il ils j je jusque l la le les leur leurs lors lorsque lui m ma mais me
    meme merci mes mettre moi moins mon n ne ni nom non nos notre nous on ont ou oui par parce pas passe
    pendant peu peut peuvent peux plait plus plutot possible pour pourquoi pourrais pouvez pouvoir puis
    puisque qu quand que quel quelle quelles quelque quelques quels qui quoi s sa salut sans savoir se
    sera serait ses si sinon sommes son sont sous suis sur t ta te tes toi ton toujours tous tout toute
    toutes tres trop tu un une va vais vas vers veulent veut veux voici voila vont vos votre voudrais
    voulais vouloir vous y
"""

STOP_WORDS: Final = {"en": frozenset(_ENGLISH.split()), "fr": frozenset(_FRENCH.split())}
"""By language, as ``words.primary`` names it."""
