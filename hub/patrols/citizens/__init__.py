"""What residents and grid officers report (随手拍): taken in, moderated, answered or dispatched."""
