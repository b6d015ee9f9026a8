/* What NVIDIA signs about this host's GPUs, as qemu-scripts/fetch-collateral leaves it below
 * $XDG_CACHE_HOME/cdvm/collateral:
 *
 *   gpu/rim/<NVIDIA's id>.xml   reference values of a driver or a VBIOS
 *   gpu/ocsp/<name>.der         an answer about one certificate
 *   gpu/crl/<name>.crl          a revocation list
 *
 * It goes to the customer of every job that has a GPU. The provider does not judge it: which driver
 * runs is the image's business, and what counts is the customer's. Half-written files have other
 * endings, and names that begin with a dot are passed over. */
#ifndef CDVM_GPU_CACHE_H
#define CDVM_GPU_CACHE_H

#include "core/collateral.h"

/* Bytes of all files: what travels with each job. */
#define GPU_CACHE_MAX ((size_t)256 << 10)

/* dir: that folder; NULL: the user's. Adds the newest files of each kind (8 documents, 64 answers,
 * 8 lists) as far as they fit; returns how many. What is left out is logged. */
size_t gpu_cache_add(const char *dir, struct collateral *c);

#endif
