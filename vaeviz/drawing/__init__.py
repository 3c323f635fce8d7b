"""What the plots share: mosaics of samples, point clouds of any size, colors, latent axes, styles."""
