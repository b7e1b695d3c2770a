"""The compiled kernel (crates/deconflict-kernel behind crates/deconflict-py)."""

def geodesic_inverse(
    lat1: float, lon1: float, lat2: float, lon2: float
) -> tuple[float, float, float]:
    """Return distance (m) and the forward azimuths (degrees) at both ends of the geodesic.

    Raises:
        ValueError: a latitude beyond ±90°, or an argument that is not finite.
    """

def geodesic_direct(lat: float, lon: float, azi: float, s_m: float) -> tuple[float, float, float]:
    """Return latitude, longitude and forward azimuth (degrees) ``s_m`` metres along a geodesic.

    Raises:
        ValueError: a latitude beyond ±90°, or an argument that is not finite.
    """
