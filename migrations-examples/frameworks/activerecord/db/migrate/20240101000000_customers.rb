class Customers < ActiveRecord::Migration[6.1]
  def change
    create_table :customers do |t|
      t.text :email
    end
  end
end
