"""The demo's story: a gateway moves, and every answer follows.

telling.py     the chapters, one after the other
questions.py   what is asked of the world, and by whom: the client that believes nobody
moving.py      the gateway's proxy, made anew
watching.py    when each view answers again, asked while the run is still under way
timeline.py    what happened when, on the world's clock and on this machine's
comparison.py  what the CronJob of these manifests would have taken
receiver.py    when the receiver acknowledged the webhook
report.py      all of it as one page
"""
