package io.github.loragraph.onnx;

import ai.onnx.proto.OnnxMl.TensorProto;
import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import io.github.loragraph.error.LoraGraphException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A constant tensor: name, element type, dimensions and bytes. It never changes. The bytes are
 * little-endian and row-major, as {@code TensorProto.raw_data} has them, and are never copied: they
 * lie in the file's memory map, in an external data file's, or where the maker of the tensor put
 * them.
 *
 * <p>Long because each element type is made and read here.
 */
public final class Tensor {
  private final TensorProto proto;
  private final ElementType elementType;
  private final ByteBuffer bytes;

  /** Null where the bytes are in no file, or not as {@code raw_data} has them. */
  private final @Nullable TensorPlace place;

  private Tensor(TensorProto proto, ByteBuffer bytes, @Nullable TensorPlace place) {
    this.proto = proto;
    this.elementType = ElementType.of(proto.getDataType());
    this.bytes = bytes;
    this.place = place;
  }

  /**
   * A tensor whose content stands in its {@code TensorProto}.
   *
   * @throws LoraGraphException if content and dimensions contradict each other
   */
  static Tensor embedded(TensorProto proto) {
    return embedded(proto, null);
  }

  /**
   * The same of a file.
   *
   * @param place where the content stands; null where nobody knows
   * @throws LoraGraphException if content and dimensions contradict each other
   */
  static Tensor embedded(TensorProto proto, @Nullable TensorPlace place) {
    return checked(proto, TensorContent.of(proto), place);
  }

  /** A tensor whose content stands in another file. */
  static Tensor external(TensorProto proto, ByteBuffer content, @Nullable TensorPlace place) {
    return checked(proto, content, place);
  }

  public static Tensor ofFloats(String name, float[] values, long... dims) {
    ByteBuffer b = ByteBuffer.allocate(values.length * 4).order(ByteOrder.LITTLE_ENDIAN);
    b.asFloatBuffer().put(values);
    return of(name, ElementType.FLOAT, b, dims);
  }

  public static Tensor ofDoubles(String name, double[] values, long... dims) {
    ByteBuffer b = ByteBuffer.allocate(values.length * 8).order(ByteOrder.LITTLE_ENDIAN);
    b.asDoubleBuffer().put(values);
    return of(name, ElementType.DOUBLE, b, dims);
  }

  public static Tensor ofLongs(String name, long[] values, long... dims) {
    ByteBuffer b = ByteBuffer.allocate(values.length * 8).order(ByteOrder.LITTLE_ENDIAN);
    b.asLongBuffer().put(values);
    return of(name, ElementType.INT64, b, dims);
  }

  public static Tensor ofInts(String name, int[] values, long... dims) {
    ByteBuffer b = ByteBuffer.allocate(values.length * 4).order(ByteOrder.LITTLE_ENDIAN);
    b.asIntBuffer().put(values);
    return of(name, ElementType.INT32, b, dims);
  }

  public static Tensor ofBooleans(String name, boolean[] values, long... dims) {
    ByteBuffer b = ByteBuffer.allocate(values.length);
    for (int i = 0; i < values.length; i++) {
      b.put(i, (byte) (values[i] ? 1 : 0));
    }
    return of(name, ElementType.BOOL, b, dims);
  }

  /**
   * One number without dimensions.
   *
   * @param type FLOAT, DOUBLE, INT32, INT64 or FLOAT16
   */
  public static Tensor scalar(String name, ElementType type, double value) {
    return filled(name, type, value);
  }

  /**
   * A tensor with the same number everywhere.
   *
   * @param type FLOAT, DOUBLE, INT32, INT64 or FLOAT16
   */
  public static Tensor filled(String name, ElementType type, double value, long... dims) {
    int count = Math.toIntExact(count(dims));
    ByteBuffer b =
        ByteBuffer.allocate(Math.multiplyExact(count, type.bytes())).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < count; i++) {
      switch (type) {
        case FLOAT -> b.putFloat((float) value);
        case DOUBLE -> b.putDouble(value);
        case INT32 -> b.putInt((int) value);
        case INT64 -> b.putLong((long) value);
        case FLOAT16 -> b.putShort(HalfPrecision.fromFloat((float) value));
        default -> throw new IllegalArgumentException("no number of type " + type);
      }
    }
    return of(name, type, b.flip(), dims);
  }

  /** A tensor over bytes that its maker will not change any more; they are not copied. */
  public static Tensor of(String name, ElementType type, ByteBuffer bytes, long... dims) {
    TensorProto.Builder proto = TensorProto.newBuilder().setName(name).setDataType(type.code());
    for (long d : dims) {
      proto.addDims(d);
    }
    proto.setRawData(UnsafeByteOperations.unsafeWrap(bytes.duplicate()));
    return embedded(proto.build());
  }

  private static Tensor checked(
      TensorProto proto, ByteBuffer content, @Nullable TensorPlace place) {
    Tensor tensor = new Tensor(proto, content, place);
    if (tensor.elementType == ElementType.UNDEFINED) {
      throw TensorContent.untyped(proto);
    }
    int width = tensor.elementType.bytes();
    long needed = tensor.checkedCount();
    try {
      needed = Math.multiplyExact(needed, width);
    } catch (ArithmeticException e) {
      needed = -1;
    }
    if (width > 0 && needed != content.remaining()) {
      throw new LoraGraphException(
          "tensor '%s' of type %s and shape %s needs %s bytes but has %,d: the file is damaged"
              .formatted(
                  proto.getName(),
                  tensor.elementType,
                  Arrays.toString(tensor.dims()),
                  needed < 0 ? "too many" : "%,d".formatted(needed),
                  content.remaining()));
    }
    return tensor;
  }

  /** The number of elements, once no axis is negative or longer than an array could be. */
  private long checkedCount() {
    for (long d : dims()) {
      if (d < 0 || d > Integer.MAX_VALUE) {
        throw new LoraGraphException(
            "tensor '%s' has an axis of size %d, which no axis can have: the file is damaged"
                .formatted(name(), d));
      }
    }
    try {
      return elementCount();
    } catch (ArithmeticException e) {
      throw new LoraGraphException(
          "tensor '%s' of shape %s has more elements than can be counted: the file is damaged"
              .formatted(name(), Arrays.toString(dims())),
          e);
    }
  }

  public String name() {
    return proto.getName();
  }

  public ElementType elementType() {
    return elementType;
  }

  public long[] dims() {
    long[] dims = new long[proto.getDimsCount()];
    for (int i = 0; i < dims.length; i++) {
      dims[i] = proto.getDims(i);
    }
    return dims;
  }

  public int rank() {
    return proto.getDimsCount();
  }

  /** A dimension, counted from the end where negative. */
  public long dim(int axis) {
    return proto.getDims(axis < 0 ? axis + rank() : axis);
  }

  public TensorType type() {
    return TensorType.of(elementType, dims());
  }

  /** The shape, all of it known. */
  public Shape shape() {
    return Shape.of(dims());
  }

  /**
   * The number of elements.
   *
   * @throws ArithmeticException if it does not fit 63 bits
   */
  public long elementCount() {
    return count(dims());
  }

  private static long count(long[] dims) {
    long count = 1;
    for (long d : dims) {
      if (d < 0) {
        throw new ArithmeticException("negative dimension");
      }
      count = Math.multiplyExact(count, d);
    }
    return count;
  }

  /**
   * The content, read-only, little-endian, row-major: {@code elementCount() x bytes()} bytes from
   * position 0, as who reads at an index counts from there.
   */
  public ByteBuffer bytes() {
    return bytes.slice().asReadOnlyBuffer().order(ByteOrder.LITTLE_ENDIAN);
  }

  /** The elements of a floating-point or integer tensor as numbers, copied. */
  public double[] toDoubles() {
    double[] values = new double[Math.toIntExact(elementCount())];
    ByteBuffer b = bytes();
    for (int i = 0; i < values.length; i++) {
      values[i] =
          switch (elementType) {
            case FLOAT -> b.getFloat();
            case DOUBLE -> b.getDouble();
            case FLOAT16 -> HalfPrecision.toFloat(b.getShort());
            case BFLOAT16 -> HalfPrecision.bfloat16ToFloat(b.getShort());
            default -> integer(b);
          };
    }
    return values;
  }

  /**
   * The elements of a FLOAT tensor, copied.
   *
   * @throws LoraGraphException if it is of another type
   */
  public float[] toFloats() {
    if (elementType != ElementType.FLOAT) {
      throw new LoraGraphException(
          "'%s' is of type %s and not FLOAT, as it has to be here".formatted(name(), elementType));
    }
    float[] values = new float[Math.toIntExact(elementCount())];
    bytes().asFloatBuffer().get(values);
    return values;
  }

  /** The elements of an integer or boolean tensor, copied. */
  public long[] toLongs() {
    long[] values = new long[Math.toIntExact(elementCount())];
    ByteBuffer b = bytes();
    for (int i = 0; i < values.length; i++) {
      values[i] = integer(b);
    }
    return values;
  }

  private long integer(ByteBuffer b) {
    return switch (elementType) {
      case INT64, UINT64 -> b.getLong();
      case INT32 -> b.getInt();
      case UINT32 -> Integer.toUnsignedLong(b.getInt());
      case INT16 -> b.getShort();
      case UINT16 -> Short.toUnsignedLong(b.getShort());
      case INT8 -> b.get();
      case UINT8, BOOL -> Byte.toUnsignedLong(b.get());
      default ->
          throw new LoraGraphException(
              "'%s' is of type %s and not of integers, as it has to be here"
                  .formatted(name(), elementType));
    };
  }

  /**
   * A FLOAT tensor in a type of 16 bits: each entry becomes the nearest one, of two equally near
   * the even one, and infinity where it is too large.
   *
   * @param half FLOAT16 or BFLOAT16
   */
  public Tensor toHalf(String name, ElementType half) {
    require(elementType == ElementType.FLOAT);
    require(half == ElementType.FLOAT16 || half == ElementType.BFLOAT16);
    FloatBuffer from = bytes().asFloatBuffer();
    // Outside of the heap, where a runtime can read it in place.
    ByteBuffer to =
        ByteBuffer.allocateDirect(Math.multiplyExact(from.remaining(), half.bytes()))
            .order(ByteOrder.LITTLE_ENDIAN);
    while (from.hasRemaining()) {
      float value = from.get();
      to.putShort(
          half == ElementType.FLOAT16
              ? HalfPrecision.fromFloat(value)
              : HalfPrecision.bfloat16FromFloat(value));
    }
    return of(name, half, to.flip(), dims());
  }

  private void require(boolean condition) {
    if (!condition) {
      throw new IllegalStateException("not possible on " + this);
    }
  }

  public Tensor withName(String name) {
    return new Tensor(proto.toBuilder().setName(name).build(), bytes, place);
  }

  /** Where the bytes lie in a file; null where they are in none. */
  @Nullable TensorPlace place() {
    return place;
  }

  /** Whether the content stands in a file beside the model. */
  boolean isExternal() {
    return proto.getDataLocation() == TensorProto.DataLocation.EXTERNAL;
  }

  /** The same as one whose content stands in its proto; the bytes are shared, not copied. */
  Tensor asEmbedded() {
    return new Tensor(embeddedProto(), bytes, place);
  }

  /** The proto as it was read or made; its content may be external. */
  TensorProto proto() {
    return proto;
  }

  /** The proto with its content inside; the bytes are shared, not copied. */
  TensorProto embeddedProto() {
    if (!isExternal()) {
      return proto;
    }
    ByteString content = UnsafeByteOperations.unsafeWrap(bytes.asReadOnlyBuffer());
    return proto.toBuilder().clearDataLocation().clearExternalData().setRawData(content).build();
  }

  @Override
  public String toString() {
    return "%s %s%s".formatted(name(), elementType, Arrays.toString(dims()));
  }
}
