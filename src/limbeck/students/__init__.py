"""Students: descriptions of nets, the models they become, and the runs that training leaves.

Files:
    _catalogue: The students by name, and the one that a text such as `mlp([800, 800])` describes.
    encodings: What a model needs done to raw inputs, with a fingerprint.
    families/: The families of students, one a file.
    _model: Model: a student's net with its encoding, built, started or loaded from stored weights.
    _pretrained: Folders of Hugging Face models, opened without network, pickle or code of their
        makers.
    _readings: What students find in texts, by one reading for all who ask while the texts are
        there.
    _record: What the manifest of a run says, typed.
    _run: Run: a trained student, or its control, as it lies in a directory.
    _student: Student: the frozen description of a net, from which it is built again.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
