"""Live video of one camera over a WebSocket, and who watches.

``GET /api/v1/devices/{device_id}/live?channel=&stream=main|sub`` (permission: see). Sign in as for
every other route: the session cookie (then with an Origin of our own) or a bearer token; nothing
secret stands in the address. Before the connection is accepted a refusal is an HTTP answer (401,
403, 404, 409), as everywhere; without ``stream`` it is ``main``.

**The client** sends JSON texts:

``{"play": [types]}``
    First of all, within 10 s: what its MediaSource can play, each a type of which
    ``MediaSource.isTypeSupported`` said yes: ``'video/mp4; codecs="avc1.640028"'`` for H.264,
    ``'video/mp4; codecs="hvc1.1.6.L123.B0"'`` for H.265. An empty list: pictures, please.
``{"pictures": true}``
    At any time: what came cannot be played after all, send pictures.

**The hub** sends JSON texts, each with a ``type``, and binary messages:

``{"type": "hello", "viewing": 17, "device": 7, "channel": "ch1", "stream": "main",
"wanted": "sub", "at": time}``
    ``stream`` is what is sent: a camera without a small stream gives its main one.
``{"type": "state", "state": …, "since": time, "why": text, "layer": text or null}``
    ``connecting``; ``live``; ``frozen``: connected, but nothing has come since; ``offline``:
    the layer (network, protocol, credentials, stream, frames) failed, and why; the hub tries
    again by itself for as long as anybody watches.
``{"type": "init", "mime": …, "codec": "h264"|"hevc", "width": w, "height": h}``
    The next binary message is the initialisation segment; those after it are whole fragments of
    MP4, one or several in a message, each picture one fragment, in a timeline without gaps that
    does not begin at 0. The first is a key picture; what comes at once is the current group of
    pictures, so that there is a picture at once: go to the end of what is buffered. It may come
    again, when the camera encodes differently: append it, after ``changeType`` for another mime.
``{"type": "behind", "skipped": n}``
    This client takes too little: n pictures were left out, what follows begins with a key
    picture. Other viewers notice nothing.
``{"type": "pictures", "why": "codec"|"masked"|"no_stream"|"asked"}``
    From now on there are pictures, at most one a second: the browser cannot play the codec, the
    camera has privacy masks (they are painted over), or it has no stream.
``{"type": "picture", "at": time, "width": w, "height": h}``
    The next binary message is this JPEG picture, taken at that time.
``{"type": "beat", "at": time}``
    Every second: a client that hears nothing for 3 s has lost the hub, whatever it shows.
``{"type": "viewers", "names": [text]}``
    Who watches this camera, for those who may ``plan`` there; again whenever that changes.
``{"type": "ended", "why": "session"|"gone"|"stopping"|"too_many"|"silent"}``
    The last message, then the connection is closed (4401, 4404, 1012, 4429, 4408): the session
    is over; the camera is gone or no longer visible; the hub stops, connect again; this user or
    the hub has too many; the client never said what it can play.
"""
