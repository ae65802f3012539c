"""Writes real photos out of scikit-image into a folder, with the faces that OpenCV's Python finds in them (faces.json)."""
import json
import pathlib
import sys

import cv2
import numpy
import skimage.data

folder = pathlib.Path(sys.argv[1])
astronaut = skimage.data.astronaut()  # NASA's portrait of Eileen Collins, public domain
photos = {
    "astronaut": astronaut,
    "twins": numpy.concatenate([astronaut, astronaut], axis=1),
    "large": cv2.resize(astronaut, (1536, 1536), interpolation=cv2.INTER_CUBIC),
    "coins": skimage.data.coins(),
    "cat": skimage.data.chelsea(),
    "coffee": skimage.data.coffee(),
    "camera": skimage.data.camera(),
}
cascade = cv2.CascadeClassifier(cv2.data.haarcascades + "haarcascade_frontalface_default.xml")
faces = {}
for name, photo in photos.items():
    gray = photo if photo.ndim == 2 else cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)
    cv2.imwrite(str(folder / f"{name}.png"), photo if photo.ndim == 2 else photo[..., ::-1])
    boxes = cascade.detectMultiScale(gray, scaleFactor=1.1, minNeighbors=5, minSize=(30, 30))
    faces[name] = [dict(zip(("left", "top", "width", "height"), map(int, box))) for box in boxes]
(folder / "faces.json").write_text(json.dumps(faces))
