"""Labelled pictures and what the picture indices make of them: accuracy, cost, camera-days."""
