package io.github.loragraph.cuda;

import java.util.List;
import java.util.stream.Collectors;

/**
 * What a machine has of one release of CUDA.
 *
 * @param needed every library that ONNX Runtime's provider needs, there or not
 */
public record CudaLibraries(CudaVersion version, List<Library> needed) {
  /** Whether nothing is missing. */
  public boolean isComplete() {
    return missing().isEmpty();
  }

  /** The names of the libraries that are not there. */
  public List<String> missing() {
    return needed.stream().filter(library -> !library.isThere()).map(Library::name).toList();
  }

  /** What is not there, for people. */
  String missingInWords() {
    return missing().stream()
        .map(name -> name.equals(CudaVersion.CUDNN) ? name + " (cuDNN 9)" : name)
        .collect(Collectors.joining(", "));
  }
}
