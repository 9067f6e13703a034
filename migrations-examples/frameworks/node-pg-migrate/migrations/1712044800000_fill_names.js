exports.up = (pgm) => {
  pgm.addColumn("customers", { name: "text" });
};
