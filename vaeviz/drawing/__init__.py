"""What the plots share: mosaics of samples, point clouds of any size, colours, latent axes, styles."""
