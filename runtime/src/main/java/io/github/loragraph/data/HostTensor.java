package io.github.loragraph.data;

import io.github.loragraph.onnx.ElementType;
import java.nio.ByteBuffer;

/**
 * A tensor in memory that ONNX Runtime can read in place.
 *
 * @param name of the graph input that it is for
 * @param data a direct buffer in native order, row-major, from position 0 to its limit
 */
public record HostTensor(String name, ElementType type, long[] shape, ByteBuffer data) {}
