"""Scenes that mostly wait, played at the same time, each in a network of its own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from interop.counterparts import namespaces


def play(scenes, folder, at_once):
    """Call each of `scenes`, by name, with a folder of its own; raise an ExceptionGroup with what failed.

    At most `at_once` run at a time. A scene may start threads: they are born in its network.
    """
    with ThreadPoolExecutor(at_once) as threads:
        played = {name: threads.submit(_play, scene, folder / name) for name, scene in scenes.items()}
    failed = []
    for name, scene in played.items():
        if error := scene.exception():
            error.add_note(f"in {name}")
            failed.append(error)
    if failed:
        raise BaseExceptionGroup(f"{len(failed)} of {len(scenes)} scenes failed", failed)


def _play(scene, folder):
    folder.mkdir()
    with namespaces.namespace() as own:
        namespaces.internet(own)
        with own.entered():
            scene(folder)
