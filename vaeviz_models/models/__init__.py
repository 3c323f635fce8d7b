"""The models: the VAE, the conditional VAE and the plain autoencoder, and how they are built again."""
