package io.github.loragraph.ort;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Tensor;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The weights of this process that ONNX Runtime cannot read where they lie, each copied once for
 * all sessions that use it: a file's map does not begin where numbers of four bytes may. Weights
 * are the same where their bytes are, whichever model they are of, so that several trainings over
 * one base have one copy. Who leases a copy releases it; the last one closes it.
 *
 * <p>Only copies are shared in this way. What ONNX Runtime reads in a model's own map costs nothing
 * a second time, and stays bound to the file of the model that asks.
 */
final class WeightCopies {
  /** Bytes that are read to tell weights apart before all are compared. */
  private static final int SAMPLES = 64;

  private static final Map<Key, List<Copy>> COPIES = new HashMap<>();

  private WeightCopies() {}

  private record Key(ElementType type, List<Long> dims, long sample) {
    static Key of(Tensor tensor) {
      ByteBuffer bytes = tensor.bytes();
      long sample = 0;
      long length = bytes.remaining();
      for (int i = 0; i < SAMPLES; i++) {
        sample = sample * 31 + bytes.get((int) (i * (length - 1) / SAMPLES));
      }
      return new Key(tensor.elementType(), Arrays.stream(tensor.dims()).boxed().toList(), sample);
    }
  }

  /** A copy in use. */
  static final class Copy {
    private final Key key;
    private final OnnxTensor tensor;
    private final ByteBuffer bytes;
    private int users;

    private Copy(Key key, OnnxTensor tensor, ByteBuffer bytes) {
      this.key = key;
      this.tensor = tensor;
      this.bytes = bytes;
    }

    /** Open until whoever leased the copy releases it. */
    OnnxTensor tensor() {
      return tensor;
    }
  }

  /** Whether a tensor has to be copied to be read by ONNX Runtime. */
  static boolean isNeeded(Tensor tensor) {
    ByteBuffer bytes = tensor.bytes();
    return !bytes.isDirect() || bytes.alignmentOffset(0, tensor.elementType().bytes()) != 0;
  }

  /** The copy of a tensor that has one element or more. */
  static synchronized Copy lease(OrtRuntime runtime, Tensor tensor) throws OrtException {
    Key key = Key.of(tensor);
    List<Copy> alike = COPIES.computeIfAbsent(key, k -> new ArrayList<>());
    ByteBuffer bytes = tensor.bytes();
    for (Copy copy : alike) {
      if (copy.bytes.duplicate().equals(bytes)) {
        copy.users++;
        return copy;
      }
    }
    try {
      ByteBuffer aligned = OrtRuntime.aligned(bytes);
      Copy copy =
          new Copy(key, runtime.tensor(aligned, tensor.dims(), tensor.elementType()), aligned);
      copy.users = 1;
      alike.add(copy);
      return copy;
    } finally {
      if (alike.isEmpty()) {
        COPIES.remove(key);
      }
    }
  }

  static synchronized void release(Copy copy) {
    copy.users--;
    if (copy.users == 0) {
      copy.tensor.close();
      List<Copy> alike = COPIES.getOrDefault(copy.key, List.of());
      alike.removeIf(other -> other == copy);
      if (alike.isEmpty()) {
        COPIES.remove(copy.key);
      }
    }
  }

  /** The bytes of all copies in use. */
  static synchronized long bytesInUse() {
    return COPIES.values().stream().flatMap(List::stream).mapToLong(c -> c.bytes.capacity()).sum();
  }
}
