"""Sources of images: a camera, a screen, files in their place; one thread that takes them."""
