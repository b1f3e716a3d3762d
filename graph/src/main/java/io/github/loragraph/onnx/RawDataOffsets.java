package io.github.loragraph.onnx;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.UnsafeByteOperations;
import com.google.protobuf.WireFormat;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * Finds where the content of each initializer begins in a model file: the parser hands out its
 * bytes, but not where they were. Fields are stepped over, so that no weight is read.
 */
final class RawDataOffsets {
  private static final long NONE = -1;

  private final CodedInputStream in;
  private long[] offsets = new long[64];
  private int count;

  private RawDataOffsets(CodedInputStream in) {
    this.in = in;
  }

  /**
   * The offsets of {@code raw_data} in the order of the initializers; -1 for one that has none.
   *
   * @param content a whole model file that was parsed
   */
  static long[] of(ByteBuffer content) {
    CodedInputStream in = UnsafeByteOperations.unsafeWrap(content).newCodedInput();
    in.setSizeLimit(Integer.MAX_VALUE);
    RawDataOffsets offsets = new RawDataOffsets(in);
    try {
      offsets.readModel();
    } catch (IOException e) {
      // What was parsed as a whole has no other form; without offsets nothing is referred to.
      return new long[0];
    }
    return Arrays.copyOf(offsets.offsets, offsets.count);
  }

  private void readModel() throws IOException {
    for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
      if (isMessage(tag, ModelProto.GRAPH_FIELD_NUMBER)) {
        int outer = in.pushLimit(in.readRawVarint32());
        readGraph();
        in.popLimit(outer);
      } else {
        in.skipField(tag);
      }
    }
  }

  private void readGraph() throws IOException {
    for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
      if (isMessage(tag, GraphProto.INITIALIZER_FIELD_NUMBER)) {
        int outer = in.pushLimit(in.readRawVarint32());
        add(rawData());
        in.popLimit(outer);
      } else {
        in.skipField(tag);
      }
    }
  }

  private long rawData() throws IOException {
    long offset = NONE;
    for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
      if (isMessage(tag, TensorProto.RAW_DATA_FIELD_NUMBER)) {
        int length = in.readRawVarint32();
        offset = in.getTotalBytesRead();
        in.skipRawBytes(length);
      } else {
        in.skipField(tag);
      }
    }
    return offset;
  }

  private static boolean isMessage(int tag, int field) {
    return WireFormat.getTagFieldNumber(tag) == field
        && WireFormat.getTagWireType(tag) == WireFormat.WIRETYPE_LENGTH_DELIMITED;
  }

  private void add(long offset) {
    if (count == offsets.length) {
      offsets = Arrays.copyOf(offsets, 2 * count);
    }
    offsets[count++] = offset;
  }
}
