"""Any images of a user's: listed, decoded alike in training and serving, cached, augmented."""
